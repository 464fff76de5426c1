"""The stage ``sign``: sign the files, their provenance and the lists of them as the workflow run of this release.

It runs before the draft, because nothing can be attached to an immutable release, and because an index takes the
signature of a file with its first upload or never. Signatures are entries of a public log: nothing takes one back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone, without_none
from unmoor.core.waivers import Emergency
from unmoor.errors import BadSignature, Conflict, Denied, Rejected, TryLater, Unknown, UnmoorError
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.ports.signer import SIDE_BY_SIDE, Bundle, Identity, Signing
from unmoor.products import Access, BuiltDocs, Dists, File, Images, Proof, Provenance, Release, Sboms, Signed
from unmoor.products.signatures import BY_HAND
from unmoor.provenance.names import provenance_name
from unmoor.publish.documents import complete
from unmoor.publish.emergencies import with_results
from unmoor.publish.existing_signatures import ExistingSignatures
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.publish.signatures import NeededSignature, needed_signatures, no_identity, why_unsigned, why_withheld
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import list_some

# What the forge's API for attestations raises. A release does not depend on it.
_NOT_STORED: tuple[type[UnmoorError], ...] = (Denied, Rejected, TryLater, Unknown)


@dataclass(frozen=True, kw_only=True)
class SignFiles(Push[Signed]):
    """Signs what is not signed yet. ``required``: every signature must be there, also those on a public release.

    Signatures that exist are taken from the release on the forge, else from the run folder, else from an index, if they
    verify and were made by this workflow for this tag and commit. The provenance is also stored on the forge, if the
    token may do that. ``workflow`` is the one whose signatures count for a run without an identity; empty: any one.
    """

    name: str = "sign"
    release: Output[Release]
    access: Output[Access]
    dists: Output[Dists]
    provenance: Output[Provenance]
    proof: Output[Proof]
    rebuild: Output[Proof] | None = None
    images: Output[Images] | None = None
    image_proof: Output[Proof] | None = None
    sboms: Output[Sboms] | None = None
    docs: Output[BuiltDocs] | None = None
    signing: Signing
    forge: Forge
    index: Index
    staging: Index | None = None
    git: Git
    folder: RunFolder
    required: bool = False
    workflow: str = ""
    emergency: Emergency | None = None

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        signing: Signing,
        release: Output[Release],
        dists: Output[Dists],
        provenance: Output[Provenance],
        images: ImageOutputs,
        sboms: Output[Sboms] | None,
        docs: Output[BuiltDocs] | None,
        gates: Gates,
    ) -> Self:
        """Build the stage for a request. Nothing enters the log before everything has passed its tests."""
        return cls(
            release=release,
            access=gates.access,
            dists=dists,
            provenance=provenance,
            proof=gates.proof,
            rebuild=gates.rebuild,
            images=images.images,
            image_proof=images.proof,
            sboms=sboms,
            docs=docs,
            signing=signing,
            forge=services.forge,
            index=services.index,
            staging=request.staging(services),
            git=services.git,
            folder=request.folder,
            required=request.settings.attestations == "required",
            workflow=request.settings.release_workflow,
            emergency=request.emergency,
            after=without_none(*gates.outputs, images.scan, images.sboms),
        )

    def plan(self) -> str:
        """Say what would be signed, and as whom."""
        origin = self.signing.signer.credential().origin
        return (
            f"sign the files, their provenance and the lists of them with the identity of {origin}; store the"
            f" provenance at {self.forge.address}, too"
        )

    def find(self, context: StageContext) -> Signed | None:
        """Return the signatures if all are there, or if this run cannot make the others.

        It cannot if the release is public, or if its own signatures would say something else. Raises `Conflict` if some
        are required and missing from a public release or an index, and `Denied` and `Unknown`.
        """
        there = self._release_on_forge(context)
        search = self._search(context, there)
        identity = self._signer(search)
        found = search.on_release_or_here(identity)
        found |= self._on_indexes(search, found, identity, context)
        missing = [each for each in search.needed if each.name not in found]
        if not missing:
            stored = self._is_stored(search, identity, context)
            return None if stored is False else self._product(found, identity, stored=bool(stored))
        if why := self._why_not(context):
            return self._product(found, identity, why_not=why)
        if there is None or there.draft:
            return None
        names = list_some([each.name for each in missing])
        if self.required:
            raise Conflict(
                f"the public release lacks the signatures {names}, and none can be added to it",
                where=there.url,
                next_step=advice.RELEASE_NEW_VERSION(why="a signature goes with the first upload or never"),
            )
        return self._product(found, identity, why_not=f"the release is public without {names}")

    def make(self, context: StageContext) -> Signed:
        """Sign what is not signed yet, after a look at the tag. Raises as `unmoor.ports.signer.Signer` does."""
        release = context[self.release]
        verify_tag_unmoved(self.git, release)
        # Those on the release and the indexes are in the run folder since `find`.
        search = self._search(context, None)
        identity = self._signer(search)
        found = search.on_release_or_here(identity)
        missing = [each for each in search.needed if each.name not in found]
        if missing and (why := self._why_not(context)):
            context.warn(f"{len(missing)} of {len(search.needed)} signatures are not made: {why}")
            return self._product(found, identity, why_not=why)
        if missing:
            context.say(f"signing {len(missing)} of {len(search.needed)} as {identity.workflow}")
            self._sign(missing, release, identity, found)
        provenance = found[provenance_name(release.project, release.version)]
        return self._product(found, identity, stored=self._store(provenance, search, identity, context))

    def undo(self, product: Signed) -> Undone | NotUndone:
        """Leave the signatures: the log only grows."""
        return NotUndone(
            f"{len(product.bundles)} entries stay in the public log of signatures: they only say that this workflow"
            " signed these files"
        )

    @cached_property
    def _identity(self) -> Identity:
        """Who this run is. `find` and `make` ask once."""
        return self.signing.signer.identity()

    def _signer(self, search: ExistingSignatures) -> Identity:
        """Whose signatures count: this run's, or if it has no identity, those of this repository that are there.

        Raises `Denied` if neither is known.
        """
        credential = self.signing.signer.credential()
        if credential.present:
            return self._identity
        signer = search.signer(self.forge.repository().id, self.workflow)
        if signer is None:
            raise no_identity(credential)
        return signer

    def _why_not(self, context: StageContext) -> str:
        """Why nothing is signed although it could be; empty if it is.

        Raises `Denied` if signatures are required, `Conflict` if they are and the manifest says that there are none.
        """
        if BY_HAND in context[self.dists].decisions:
            why = f"the manifest says {BY_HAND!r}"
            if self.required:
                step = advice.RELEASE_NEW_VERSION(why="a manifest never changes")
                raise Conflict(f'{why}, but attestations = "required"', next_step=step)
            return why
        credential = self.signing.signer.credential()
        if not credential.present:
            raise no_identity(credential)
        return why_unsigned(self._identity, context[self.release], required=self.required)

    def _search(self, context: StageContext, there: ForgeRelease | None) -> ExistingSignatures:
        release, dists = context[self.release], context[self.dists]
        proofs = tuple(context[each] for each in without_none(self.proof, self.rebuild))
        sboms = context[self.sboms] if self.sboms else None
        # The manifest does not list the images: their record has a signature of its own, by which it counts elsewhere.
        documents = complete(
            self.folder,
            release,
            dists,
            proofs,
            sboms=sboms,
            docs=context[self.docs] if self.docs else None,
            images=context[self.images] if self.images else None,
            image_proof=context[self.image_proof] if self.image_proof else None,
            emergency=with_results(self.emergency, context.products) if self.emergency else None,
        )
        return ExistingSignatures(
            needed=needed_signatures(release, dists, context[self.provenance], documents, sboms),
            release=release,
            verifier=self.signing.verifier,
            folder=self.folder,
            forge=self.forge,
            there=there,
            warn=context.warn,
        )

    def _release_on_forge(self, context: StageContext) -> ForgeRelease | None:
        """The release of the tag that holds files: the public one, or the draft to continue with."""
        found = sorted(self.forge.releases(context[self.release].tag), key=lambda each: (each.draft, each.id))
        return next((each for each in found if not each.draft or each.assets), None)

    def _on_indexes(
        self, search: ExistingSignatures, found: Mapping[str, Bundle], identity: Identity, context: StageContext
    ) -> dict[str, Bundle]:
        """The signatures that only an index has. What an index holds without any stays so: raises `Conflict` or warns.

        An index that had no file of the release when its access was checked is not asked.
        """
        added: dict[str, Bundle] = {}
        holders = {each.surface for each in context[self.access].findings if each.held}
        for index in (self.index, self.staging):
            if index is None or index.name not in holders:
                continue
            try:
                here = search.on_index(index, context[self.dists], {**found, **added}, identity)
            except (Denied, Unknown) as error:
                if self.required:
                    raise
                context.warn(f"cannot see what {index.name} has of the signatures: {error.in_brief()}")
                continue
            added |= here.found
            if not here.lacking or index is not self.index:
                continue  # nobody installs from the staging index
            what = f"{index.name} has {list_some(list(here.lacking))} without an attestation of this workflow"
            if self.required:
                raise Conflict(
                    f"{what}, and none can be added",
                    where=index.name,
                    next_step=advice.RELEASE_NEW_VERSION(why="an attestation goes with the first upload or never"),
                )
            context.warn(f"{what}, and none can be added")
        return added

    def _sign(
        self,
        missing: list[NeededSignature],
        release: Release,
        identity: Identity,
        found: dict[str, Bundle],
    ) -> None:
        """Make the missing signatures, and add them to those that are ``found``."""

        def sign(each: NeededSignature) -> None:
            bundle = each.sign(self.signing.signer, identity)
            if fault := each.fault(bundle, self.signing.verifier, release, identity):
                raise BadSignature(f"{each.name}: {fault}", next_step=advice.REJECT_SIGNATURE())
            self.folder.write_signature(each.name, bundle)
            found[each.name] = bundle

        if failures := run_parallel(missing, sign, width=SIDE_BY_SIDE):
            raise failures[0]

    def _is_stored(self, search: ExistingSignatures, identity: Identity, context: StageContext) -> bool | None:
        """Whether the forge stores the provenance, ``None`` after a warning if it does not say."""
        try:
            return search.on_forge(identity) is not None
        except _NOT_STORED as error:
            context.warn(f"cannot see whether the forge stores the provenance: {error.in_brief()}")
            return None

    def _store(self, provenance: Bundle, search: ExistingSignatures, identity: Identity, context: StageContext) -> bool:
        """Store the provenance on the forge, unless it is there, and return whether it is. A failure is a warning.

        Without it the release is as good: it only takes another option to verify the files with the forge's own tool.
        """
        stored = self._is_stored(search, identity, context)
        if stored is not False:
            return bool(stored)
        try:
            self.forge.attest(provenance)
        except _NOT_STORED as error:
            # The answer may be lost.
            if isinstance(error, Unknown) and self._is_stored(search, identity, context):
                return True
            denied = isinstance(error, Denied)
            step = f"; {advice.GRANT_ATTESTATIONS()}" if denied else ""
            context.warn(f"the forge does not store the provenance: {error.what}{step}")
            return False
        context.say(f"stored the provenance at {self.forge.address}")
        return True

    def _product(
        self, found: Mapping[str, Bundle], identity: Identity, *, why_not: str = "", stored: bool = False
    ) -> Signed:
        bundles = tuple(
            File(
                name=name,
                sha256=sha256(data).hexdigest(),
                size=len(data),
                path=self.folder.signatures / name,
            )
            for name, data in sorted(found.items())
        )
        withheld = why_withheld(identity)
        return Signed(
            bundles=bundles,
            why_not=why_not,
            withheld=withheld,
            required=self.required,
            stored=stored,
            signer=identity.workflow.partition("@")[0],  # a run of a branch finds what the run of the tag signed
        )
