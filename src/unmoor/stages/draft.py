"""The draft: one release object of the tag that nobody sees yet, with every file of the release on it.

It is the first surface to hold bytes, since it can be taken back, and it hands the very bytes to
a later machine. The manifest is attached last: a draft without one was never complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Self

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import is_intact
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.errors import Conflict, Incomplete, Refused, Rejected, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.poll import poll
from unmoor.ports.services import Services
from unmoor.products import Asset, Dists, Draft, File, Images, Notes, Proof, Pushed, Release
from unmoor.publish.gates import Gates
from unmoor.publish.release_assets import (
    Difference,
    DifferenceKind,
    ReleaseAssets,
    find_asset,
    repairable,
    same_text,
    select_draft,
)
from unmoor.release_request import ReleaseRequest

# A 502 after the bytes were stored is common on upload hosts: three tries, each after a look.
_TRIES = 3
# Seconds between looks at a list that may lag behind what was just written: half a minute was seen.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
# Seconds for which a draft with the files of another build must be left alone before they are replaced.
_QUIET = 30.0
_QUIET_PAUSE = 2.0
# Files after which a forge's hourly limit of writes is near.
_MANY = 450


@dataclass(frozen=True, kw_only=True)
class MakeDraft(Push[Draft]):
    """Make one draft of the tag and attach every file, or complete the one that is there."""

    name: str = "draft"
    release: Output[Release]
    dists: Output[Dists]
    notes: Output[Notes]
    proof: Output[Proof]
    images: Output[Images] | None = None
    image_proof: Output[Proof] | None = None
    pushed: Output[Pushed] | None = None
    forge: Forge
    folder: RunFolder
    clock: Clock

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        notes: Output[Notes],
        images: Output[Images] | None,
        image_proof: Output[Proof] | None,
        pushed: Output[Pushed] | None,
        gates: Gates,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            notes=notes,
            proof=gates.proof,
            images=images,
            image_proof=image_proof,
            pushed=pushed,
            forge=services.forge,
            folder=request.folder,
            clock=services.clock,
            after=(gates.access, gates.checks),
        )

    def plan(self) -> str:
        """Say what would be made."""
        return f"make one draft release at {self.forge.address}, with the files, SHA256SUMS and the manifest on it"

    def find(self, context: StageContext) -> Draft | None:
        """Return the release of the tag if it holds all our files.

        Raises `Conflict` where a file of ours holds other bytes there, and where a public release
        lacks one: it is never altered. A draft without a manifest is a broken-off attempt and
        never a conflict. Raises `Denied` and `Unknown` as the forge does.
        """
        release, notes = context[self.release], context[self.notes]
        choice = select_draft(self.forge.releases(release.tag), body=notes.body)
        forge_release = choice.kept
        if forge_release is None:
            return None
        bundle = self._bundle(context)
        odd = self._judged(forge_release, bundle)
        if forge_release.draft and (odd or choice.spare or not _same_words(forge_release, release, notes)):
            return None
        return _product(forge_release, bundle)

    def make(self, context: StageContext) -> Draft:
        """Create or complete the draft, then read everything back by hash."""
        release = context[self.release]
        bundle = self._bundle(context)
        bundle.write(self.folder)
        self.folder.write_manifest(bundle.manifest)
        forge_release = self._update_text(self._wait_until_idle(self._one_draft(context), bundle, context), context)
        bundle.require_room(forge_release)
        if len(bundle.files) > _MANY:
            context.say(
                f"{len(bundle.files)} files: a forge takes about {_MANY} in an hour, so this may take that long"
            )
        if self._clear(forge_release, bundle, context):
            forge_release = self._reread(release.tag, forge_release.id)
        for file in bundle.files:
            held = find_asset(forge_release, file.name)
            if held is None or not held.uploaded:
                self._attach(forge_release, file, context)
        return self._read_back(forge_release, bundle, context)

    def undo(self, product: Draft) -> Undone | NotUndone:
        """Delete the draft; a release that is public already stays."""
        forge_release = self._listed(product.tag, product.id)
        if forge_release is None:
            return Undone(f"the draft of {product.tag} was gone already")
        if not forge_release.draft:
            return NotUndone(f"{forge_release.url} is public: a published release is never taken away")
        try:
            self.forge.remove(forge_release)
        except Unknown:
            if self._listed(product.tag, product.id) is not None:
                raise
        return Undone(f"the draft of {product.tag} was deleted")

    def _bundle(self, context: StageContext) -> ReleaseAssets:
        manifest = Manifest.of(
            context[self.release],
            context[self.dists],
            tuple(context[proof] for proof in (self.proof, self.image_proof) if proof is not None),
            images=context[self.images] if self.images else None,
            pushed=context[self.pushed] if self.pushed else None,
        )
        return ReleaseAssets.of(manifest, context[self.dists], context[self.notes], self.folder)

    def _one_draft(self, context: StageContext) -> ForgeRelease:
        """Return the draft to go on with: the one that is there, or a new one. Empty second ones go."""
        release, notes = context[self.release], context[self.notes]
        words = {"tag": release.tag, "target": release.commit, "name": release.tag, "body": notes.body}
        choice = select_draft(self.forge.releases(release.tag), body=notes.body)
        if choice.kept is None:
            made = _write_then_look(
                lambda: self.forge.draft(**words, prerelease=release.prerelease),
                lambda: select_draft(self.forge.releases(release.tag), body=notes.body).kept,
            )
            # Two runs at once may both have made one, and the list may lag: both keep the lowest id.
            listed = self.forge.releases(release.tag)
            known = any(each.id == made.id for each in listed)
            choice = select_draft(listed if known else (*listed, made), body=notes.body)
        for spare in choice.spare:
            context.say(f"removing an empty second draft of {release.tag}")
            self.forge.remove(spare)
        if choice.kept is None:  # pragma: no cover - a draft was just made
            raise Unknown("the draft that was made is gone", where=self.forge.address)
        return choice.kept

    def _wait_until_idle(
        self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext
    ) -> ForgeRelease:
        """See that no other run is filling the draft: a file of another build may be that of a run which is alive.

        Raises `Refused` where the draft changes while it is looked at.
        """
        if not any(each.kind is DifferenceKind.OTHER for each in self._judged(forge_release, bundle)):
            return forge_release
        context.say(f"the draft holds files of another build: seeing for {_QUIET:g} s whether its run is alive")

        def changed() -> bool:
            return self._reread(forge_release.tag, forge_release.id).assets != forge_release.assets

        if poll(changed, until=bool, waits=repeat(_QUIET_PAUSE), clock=self.clock, deadline=_QUIET):
            raise _busy(forge_release)
        return forge_release

    def _update_text(self, forge_release: ForgeRelease, context: StageContext) -> ForgeRelease:
        """See that a draft has our name, body, target and kind; a public release keeps its own."""
        release, notes = context[self.release], context[self.notes]
        if not forge_release.draft or _same_words(forge_release, release, notes):
            return forge_release
        context.say("the draft has other words: writing ours")
        aimed = replace(forge_release, target=release.commit)

        def now_ours() -> ForgeRelease | None:
            there = self._listed(release.tag, forge_release.id)
            return there if there is not None and _same_words(there, release, notes) else None

        amended = _write_then_look(
            lambda: self.forge.amend(aimed, name=release.tag, body=notes.body, prerelease=release.prerelease), now_ours
        )
        return replace(amended, assets=forge_release.assets)

    def _clear(self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext) -> bool:
        """Remove what was broken off and what an attempt without a manifest left. Returns whether anything went."""
        odd = [each for each in self._judged(forge_release, bundle) if each.seen is not None]
        # The manifest goes first: while files are replaced, the draft must not count as complete.
        for each in sorted(odd, key=lambda one: one.name != manifests.NAME):
            if each.seen is not None:
                context.say(f"removing {each.name} from the draft: it {each.kind}")
                self.forge.detach(each.seen)
        return bool(odd)

    def _attach(self, forge_release: ForgeRelease, file: File, context: StageContext) -> None:
        """Upload one file; after a lost answer look before sending again."""
        trouble: UnmoorError | None = None
        for attempt in range(_TRIES):
            if not is_intact(file):
                raise Conflict(
                    f"{file.name} changed on disk: it is no longer sha256 {file.sha256}",
                    where=str(file.path),
                    next_step="remove the run's folder",
                    retryable=True,
                )
            context.say(f"attaching {file.name}")
            try:
                _same_name(self.forge.attach(forge_release, file).name, file)
            except (Unknown, Rejected) as error:
                trouble = error
            else:
                return
            context.say(f"no good answer for {file.name}, looking before sending again: {trouble.what}")
            self.clock.sleep(float(attempt))
            if self._landed(forge_release, file, trouble):
                return
        if trouble is not None:
            raise trouble

    def _judged(self, forge_release: ForgeRelease, bundle: ReleaseAssets) -> tuple[Difference, ...]:
        return repairable(forge_release, bundle, self.forge, folder=self.folder)

    def _landed(self, forge_release: ForgeRelease, file: File, trouble: UnmoorError) -> bool:
        """Whether the file lies there whole after all; what is not whole is removed."""
        held = find_asset(self._reread(forge_release.tag, forge_release.id), file.name)
        if held is None and isinstance(trouble, Rejected):
            raise trouble
        if held is None:
            return False
        if held.uploaded and held.size == file.size and held.sha256 in {None, file.sha256}:
            return True
        if held.uploaded and isinstance(trouble, Rejected):
            raise _busy(self._reread(forge_release.tag, forge_release.id)) from trouble
        self.forge.detach(held)
        return False

    def _read_back(self, forge_release: ForgeRelease, bundle: ReleaseAssets, context: StageContext) -> Draft:
        """Read the draft until it holds everything by hash, for as long as a list may lag behind."""
        release, notes = context[self.release], context[self.notes]

        def look() -> tuple[ForgeRelease, str]:
            there = self._reread(release.tag, forge_release.id)
            odd = "; ".join(map(str, self._judged(there, bundle)))
            worded = not there.draft or _same_words(there, release, notes)
            return there, odd or ("" if worded else "its words are not the ones that were sent")

        there, odd = poll(look, until=lambda seen: not seen[1], waits=_PAUSES, clock=self.clock)
        if odd:
            raise Incomplete(f"read back, the draft is not whole: {odd}", where=there.url)
        return _product(there, bundle)

    def _listed(self, tag: str, posting_id: int) -> ForgeRelease | None:
        return next((each for each in self.forge.releases(tag) if each.id == posting_id), None)

    def _reread(self, tag: str, posting_id: int) -> ForgeRelease:
        """Find the draft in the list again, which may lag behind."""
        forge_release = poll(lambda: self._listed(tag, posting_id), waits=_PAUSES, clock=self.clock)
        if forge_release is None:
            raise Unknown(f"the draft of {tag} is no longer listed", where=self.forge.address)
        return forge_release


def _write_then_look(write: Callable[[], ForgeRelease], look: Callable[[], ForgeRelease | None]) -> ForgeRelease:
    """Write; where the answer was lost, look, and write once more only if nothing is seen."""
    try:
        return write()
    except Unknown:
        return look() or write()


def _busy(forge_release: ForgeRelease) -> Refused:
    return Refused(
        "another run is filling the draft with files of its own",
        where=forge_release.url,
        next_step="wait for it to end",
        retryable=True,
    )


def _same_words(forge_release: ForgeRelease, release: Release, notes: Notes) -> bool:
    return (
        forge_release.name == release.tag
        and forge_release.target == release.commit
        and forge_release.prerelease == release.prerelease
        and same_text(forge_release.body, notes.body)
    )


def _same_name(name: str, file: File) -> None:
    if name != file.name:
        raise Conflict(
            f"the forge renamed {file.name} to {name}: SHA256SUMS would name no file",
            next_step="give the file a name of letters, digits, '.', '_' and '-' only",
        )


def _product(forge_release: ForgeRelease, bundle: ReleaseAssets) -> Draft:
    """The release object with our assets as they lie there, sorted by name."""
    ours = {file.name: file for file in bundle.files}
    held = {each.name: each for each in forge_release.assets if each.name in ours}
    assets = (
        Asset(name=name, sha256=held[name].sha256 or ours[name].sha256, size=held[name].size) for name in sorted(held)
    )
    return Draft(id=forge_release.id, tag=forge_release.tag, url=forge_release.url, assets=tuple(assets))
