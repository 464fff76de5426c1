"""The stage ``draft``: create one draft release of the tag on the forge and attach every file to it.

The draft is the first surface to get the files, because it can be deleted again. A later run on another
machine takes the files from it. The manifest is attached last: a draft without one is incomplete.

This module is long because another run, another build or a person may have left a draft in any state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Self

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone, without_none
from unmoor.core.waivers import Emergency
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.poll import poll
from unmoor.ports.services import Services
from unmoor.products import Asset, BuiltDocs, Dists, Draft, Images, Notes, Proof, Release, Sboms, Signed, SumsSignature
from unmoor.publish.already_out import require_nothing_else_out
from unmoor.publish.asset_upload import LIST_PAUSES, attach, busy, find_release, read_again
from unmoor.publish.documents import Documents, complete
from unmoor.publish.draft_text import DraftText
from unmoor.publish.emergencies import encode, recorded, with_results
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.publish.release_assets import (
    Difference,
    DifferenceKind,
    DraftSelection,
    ReleaseAssets,
    find_asset,
    repairable_differences,
    replaces_bytes,
    select_draft,
)
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import duration
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.images.image_plan import ImagePlan

# Seconds for which a draft with files of another build must not change before its files are replaced.
_QUIET = 30.0
_QUIET_PAUSE = 2.0
# About as many files as a forge's hourly write limit allows.
_HOURLY_LIMIT = 450


@dataclass(frozen=True, kw_only=True)
class MakeDraft(Push[Draft]):
    """Creates a draft of the tag and attaches every file, or completes the existing draft.

    ``indexes`` and ``plans`` say where else files and images of this version may be. An ``emergency`` that the manifest
    does not record, since it was complete before, is an asset of its own.
    """

    name: str = "draft"
    release: Output[Release]
    dists: Output[Dists]
    notes: Output[Notes]
    proof: Output[Proof]
    rebuild: Output[Proof] | None = None
    images: Output[Images] | None = None
    image_proof: Output[Proof] | None = None
    sboms: Output[Sboms] | None = None
    docs: Output[BuiltDocs] | None = None
    signed: Output[Signed] | None = None
    sums: Output[SumsSignature] | None = None
    forge: Forge
    git: Git
    folder: RunFolder
    clock: Clock
    indexes: tuple[Index, ...] = ()
    plans: tuple[ImagePlan, ...] = ()
    emergency: Emergency | None = None

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        notes: Output[Notes],
        images: ImageOutputs,
        sboms: Output[Sboms] | None,
        docs: Output[BuiltDocs] | None,
        signed: Output[Signed] | None,
        sums: Output[SumsSignature] | None,
        gates: Gates,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            notes=notes,
            proof=gates.proof,
            rebuild=gates.rebuild,
            images=images.images,
            image_proof=images.proof,
            sboms=sboms,
            docs=docs,
            signed=signed,
            sums=sums,
            forge=services.forge,
            git=services.git,
            folder=request.folder,
            clock=services.clock,
            indexes=tuple(index for index in (services.index, services.staging) if index is not None),
            plans=request.image_plans(services),
            emergency=request.emergency,
            after=without_none(*gates.outputs, images.scan, images.sboms),
        )

    def plan(self) -> str:
        """Say what would be created."""
        signatures = ", their signatures" if self.signed or self.sums else ""
        more = f"{', their SBOMs' if self.sboms else ''}{signatures}"
        return f"create one draft release at {self.forge.address} with the files{more}, SHA256SUMS and the manifest"

    def find(self, context: StageContext) -> Draft | None:
        """Return the release of the tag if it holds every file.

        Raises `Conflict` if a public release has other bytes or lacks a file: unmoor never changes a public
        release. A draft that differs is incomplete. Raises `Denied` and `Unknown` as the forge does.
        """
        choice = self._select(context)
        forge_release = choice.chosen
        if forge_release is None:
            return None
        bundle = self._bundle(context, forge_release)
        differences = self._repairable(forge_release, bundle)
        same_text = self._text(context, bundle.documents, forge_release).is_on(forge_release)
        if forge_release.draft and (differences or choice.spare or not same_text):
            return None
        return _product(forge_release, bundle)

    def make(self, context: StageContext) -> Draft:
        """Check the tag again, create or complete the draft, then read every file back by hash."""
        verify_tag_unmoved(self.git, context[self.release])
        bundle = self._bundle(context, self._select(context).chosen)
        self._write_documents(bundle, context)
        known = self._require_replaceable(bundle, context)
        forge_release = self._find_or_create(bundle, context)
        self._require_no_other_run(known, forge_release, bundle)
        bundle.require_room(forge_release)
        if len(bundle.files) > _HOURLY_LIMIT:
            context.say(
                f"{len(bundle.files)} files: a forge takes about {_HOURLY_LIMIT} an hour, so this may take that long"
            )
        forge_release = self._remove_broken(forge_release, bundle, context)
        # The text depends on the signatures that are left.
        forge_release = self._update_text(forge_release, bundle, context)
        for file in bundle.files:
            held = find_asset(forge_release, file.name)
            if held is None or not held.uploaded:
                attach(self.forge, self.clock, forge_release, file, context.say)
        return self._read_back(forge_release, bundle, context)

    def undo(self, product: Draft) -> Undone | NotUndone:
        """Delete the draft. A release that is already public stays."""
        forge_release = find_release(self.forge, product.tag, product.id)
        if forge_release is None:
            return Undone(f"the draft of {product.tag} was already gone")
        if not forge_release.draft:
            return NotUndone(f"{forge_release.url} is public: unmoor never deletes a published release")
        try:
            self.forge.remove(forge_release)
        except Unknown:
            if find_release(self.forge, product.tag, product.id) is not None:
                raise
        return Undone(f"the draft of {product.tag} was deleted")

    def _bundle(self, context: StageContext, there: ForgeRelease | None) -> ReleaseAssets:
        documents = complete(
            self.folder,
            context[self.release],
            context[self.dists],
            tuple(context[each] for each in without_none(self.proof, self.rebuild)),
            sboms=context[self.sboms] if self.sboms else None,
            docs=context[self.docs] if self.docs else None,
            images=context[self.images] if self.images else None,
            image_proof=context[self.image_proof] if self.image_proof else None,
            emergency=self._emergency(context),
        )
        signatures = context[self.signed].bundles if self.signed else ()
        signatures += context[self.sums].files if self.sums else ()
        text = self._text(context, documents, there)
        unrecorded = self._unrecorded(context, documents, there)
        records = (encode(unrecorded),) if unrecorded is not None and (there is None or there.draft) else ()
        return ReleaseAssets.of(
            documents, context[self.dists], text.notes, self.folder, signatures=signatures, records=records
        )

    def _emergency(self, context: StageContext) -> Emergency | None:
        return with_results(self.emergency, context.products) if self.emergency else None

    def _unrecorded(self, context: StageContext, documents: Documents, there: ForgeRelease | None) -> Emergency | None:
        """The emergency of this run if neither the manifest nor an asset records it."""
        ours = self._emergency(context)
        known = ours is None or any(map(ours.is_same, recorded(documents.manifest, there, self.forge)))
        return None if known else ours

    def _text(self, context: StageContext, documents: Documents, there: ForgeRelease | None) -> DraftText:
        """The text for a release on the forge, with every emergency that is recorded there."""
        unrecorded = self._unrecorded(context, documents, there)
        emergencies = (*recorded(documents.manifest, there, self.forge), *([unrecorded] if unrecorded else ()))
        return replace(self._plain_text(context), emergencies=emergencies)

    def _plain_text(self, context: StageContext) -> DraftText:
        signed = context[self.signed] if self.signed else None
        return DraftText(release=context[self.release], changelog=context[self.notes], signed=signed)

    def _write_documents(self, bundle: ReleaseAssets, context: StageContext) -> None:
        """Write the documents, and say their sha256 before anything leaves: this machine may die at any time."""
        bundle.documents.write(self.folder)
        bundle.write(self.folder)
        for name, digest in bundle.documents.digests.items():
            context.say(f"sha256 of {name}: {digest}")
        for path in bundle.records:
            context.warn(f"the manifest was complete before this emergency and never changes: {path.name} records it")

    def _select(self, context: StageContext) -> DraftSelection:
        return select_draft(self.forge.releases(context[self.release].tag), is_ours=self._plain_text(context).is_ours)

    def _find_or_create(self, bundle: ReleaseAssets, context: StageContext) -> ForgeRelease:
        """Return the existing draft, or a new one. Remove empty second drafts."""
        release, text = context[self.release], self._text(context, bundle.documents, None)

        def create() -> ForgeRelease:
            return self.forge.draft(
                tag=release.tag,
                target=release.commit,
                name=release.tag,
                body=text.notes.body,
                prerelease=release.prerelease,
            )

        choice = self._select(context)
        if choice.chosen is None:
            created = _write_or_find(create, lambda: self._select(context).chosen)
            # Two concurrent runs may each create one, and the list may lag: both choose the lowest id.
            listed = self.forge.releases(release.tag)
            known = any(each.id == created.id for each in listed)
            choice = select_draft(listed if known else (*listed, created), is_ours=text.is_ours)
        for spare in choice.spare:
            context.say(f"removing an empty second draft of {release.tag}")
            self.forge.remove(spare)
        if choice.chosen is None:  # pragma: no cover - a draft was just created
            raise Unknown("the draft that was just created is gone", where=self.forge.address)
        return choice.chosen

    def _require_replaceable(self, bundle: ReleaseAssets, context: StageContext) -> tuple[ForgeAsset, ...]:
        """Check that a new draft can be released, or that files of another build in a draft may be replaced.

        Changes nothing, and returns the assets that may be. Raises `Conflict` if a registry, or for a replacement an
        index, holds anything of this version that is not ours, and `Refused` if the draft changes while it is watched:
        then another run is filling it.
        """
        forge_release = self._select(context).chosen
        if forge_release is None:
            # `check-dists` has compared the files with the indexes.
            self._require_nothing_else_out((), context)
            return ()
        if not replaces_bytes(self._repairable(forge_release, bundle)):
            return forge_release.assets
        self._require_only_draft(forge_release, context)
        context.warn(f"the draft at {forge_release.url} holds files of another build that nothing vouches for")
        if forge_release.quiet is not None and forge_release.quiet >= _QUIET:
            context.say(f"nothing of the draft has changed for {duration(forge_release.quiet)}: replacing its files")
            return forge_release.assets
        context.say(f"checking for {_QUIET:g} s whether another run is filling the draft, before replacing its files")

        def changed() -> bool:
            return read_again(self.forge, self.clock, forge_release).assets != forge_release.assets

        if poll(changed, until=bool, waits=repeat(_QUIET_PAUSE), clock=self.clock, deadline=_QUIET):
            raise busy(forge_release)
        self._require_only_draft(forge_release, context)
        return forge_release.assets

    def _require_no_other_run(
        self, known: tuple[ForgeAsset, ...], forge_release: ForgeRelease, bundle: ReleaseAssets
    ) -> None:
        """Raise `Refused` if the draft got files of another build since it was checked: they are not ours to remove."""
        new = {(each.id, each.uploaded) for each in forge_release.assets} - {(each.id, each.uploaded) for each in known}
        if new and replaces_bytes(self._repairable(forge_release, bundle)):
            raise busy(forge_release)

    def _require_only_draft(self, forge_release: ForgeRelease, context: StageContext) -> None:
        """Raise `Conflict`, with the way out, if an index or a registry holds anything of this version but ours."""
        try:
            self._require_nothing_else_out(self.indexes, context)
        except Conflict as error:
            raise error.amended(
                also=f"the draft at {forge_release.url} is of another build, which nothing vouches for",
                next_step=advice.PASS_SHA256_OR_NEXT_VERSION(),
            ) from error

    def _require_nothing_else_out(self, indexes: tuple[Index, ...], context: StageContext) -> None:
        require_nothing_else_out(
            context[self.release],
            context[self.dists],
            context[self.images] if self.images else None,
            indexes=indexes,
            plans=self.plans,
        )

    def _update_text(self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext) -> ForgeRelease:
        """Set the name, body, target and prerelease mark of a draft. A public release keeps its own."""
        release, text = context[self.release], self._text(context, bundle.documents, forge_release)
        if not forge_release.draft or text.is_on(forge_release):
            return forge_release
        context.say("the draft has another name, body or target: updating it")
        aimed = replace(forge_release, target=release.commit)
        body = text.body_for(forge_release)

        def find_written() -> ForgeRelease | None:
            there = find_release(self.forge, release.tag, forge_release.id)
            return there if there is not None and text.is_on(there) else None

        amended = _write_or_find(
            lambda: self.forge.amend(aimed, name=release.tag, body=body, prerelease=release.prerelease),
            find_written,
        )
        return replace(amended, assets=forge_release.assets)

    def _remove_broken(self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext) -> ForgeRelease:
        """Remove incomplete uploads, and what an attempt without a manifest left. Return the release without them.

        It is not read again: what another run attached meanwhile must not pass for ours, and a list may lag behind.
        """
        stale = [(each.seen, each.kind) for each in self._repairable(forge_release, bundle) if each.seen is not None]
        # Signatures of replaced files go before these, so that none is left alone if this run dies. Then the manifest:
        # the draft must not count as complete while files are replaced.
        for asset, kind in sorted(
            stale, key=lambda pair: (pair[1] is not DifferenceKind.STALE, pair[0].name != manifests.NAME)
        ):
            context.say(f"removing {asset.name} from the draft: it {kind}")
            self.forge.detach(asset)
        gone = {asset.id for asset, _ in stale}
        return replace(forge_release, assets=tuple(each for each in forge_release.assets if each.id not in gone))

    def _repairable(self, forge_release: ForgeRelease, bundle: ReleaseAssets) -> tuple[Difference, ...]:
        return repairable_differences(forge_release, bundle, self.forge, self.folder)

    def _read_back(self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext) -> Draft:
        """Read the draft until it holds every file by hash, for as long as a list may lag behind."""
        text = self._text(context, bundle.documents, forge_release)

        def look() -> tuple[ForgeRelease, str]:
            there = read_again(self.forge, self.clock, forge_release)
            differences = "; ".join(map(str, self._repairable(there, bundle)))
            same_text_there = not there.draft or text.is_on(there)
            return there, differences or ("" if same_text_there else "its name, body or target is not what was sent")

        there, differences = poll(look, until=lambda seen: not seen[1], waits=LIST_PAUSES, clock=self.clock)
        if differences:
            raise Incomplete(f"the draft is incomplete when read back: {differences}", where=there.url)
        return _product(there, bundle)


def _write_or_find(write: Callable[[], ForgeRelease], look: Callable[[], ForgeRelease | None]) -> ForgeRelease:
    """Write. If the answer is lost, look for the result, and write once more only if there is none."""
    try:
        return write()
    except Unknown:
        found = look()
    try:
        return found or write()
    except Unknown as error:
        require_not_put_off(error)
        raise


def _product(forge_release: ForgeRelease, bundle: ReleaseAssets) -> Draft:
    """The release object with our assets as the forge lists them, sorted by name."""
    ours = {file.name: file for file in bundle.files}
    held = {each.name: each for each in forge_release.assets if each.name in ours}
    assets = (
        Asset(name=name, sha256=held[name].sha256 or ours[name].sha256, size=held[name].size) for name in sorted(held)
    )
    return Draft(
        id=forge_release.id,
        tag=forge_release.tag,
        url=forge_release.url,
        assets=tuple(assets),
        public=not forge_release.draft,
    )
