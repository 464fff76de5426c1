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
from unmoor.errors import BadSignature, Conflict, Unknown
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.ports.signer import MAX_BUNDLE, SIDE_BY_SIDE, Identity, Signing
from unmoor.products import Dists, File, Images, Proof, Provenance, Release, Signed
from unmoor.publish.documents import complete
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.publish.signatures import NeededSignature, needed_signatures, why_unsigned, why_withheld
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import list_some


@dataclass(frozen=True, kw_only=True)
class SignFiles(Push[Signed]):
    """Signs what is not signed yet. ``required``: every signature must be there, also those on a public release.

    Signatures that exist are taken from the release on the forge, else from the run folder, if they verify and were
    made by this workflow for this tag and commit.
    """

    name: str = "sign"
    release: Output[Release]
    dists: Output[Dists]
    provenance: Output[Provenance]
    proof: Output[Proof]
    rebuild: Output[Proof] | None = None
    images: Output[Images] | None = None
    image_proof: Output[Proof] | None = None
    signing: Signing
    forge: Forge
    git: Git
    folder: RunFolder
    required: bool = False

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
        gates: Gates,
    ) -> Self:
        """Build the stage for a request. Nothing enters the log before everything has passed its tests."""
        return cls(
            release=release,
            dists=dists,
            provenance=provenance,
            proof=gates.proof,
            rebuild=gates.rebuild,
            images=images.images,
            image_proof=images.proof,
            signing=signing,
            forge=services.forge,
            git=services.git,
            folder=request.folder,
            required=request.settings.attestations == "required",
            after=gates.outputs,
        )

    def plan(self) -> str:
        """Say what would be signed, and as whom."""
        origin = self.signing.signer.credential().origin
        return f"sign the files, their provenance and the lists of them with the identity of {origin}"

    def find(self, context: StageContext) -> Signed | None:
        """Return the signatures if all are there, or if this run cannot make the others.

        It cannot if the release is public, or if its own signatures would say something else. Raises `Conflict` if some
        are required and missing from a public release, and `Denied` and `Unknown`.
        """
        there = self._release_on_forge(context)
        needed = self._needed(context)
        found = self._existing(needed, there, context)
        missing = [each for each in needed if each.name not in found]
        if not missing:
            return self._product(found)
        if why := self._why_not(context):
            return self._product(found, why_not=why)
        if there is None or there.draft:
            return None
        names = list_some([each.name for each in missing])
        if self.required:
            raise Conflict(
                f"the public release lacks the signatures {names}, and none can be added to it",
                where=there.url,
                next_step=advice.RELEASE_NEW_VERSION(why="a signature goes with the first upload or never"),
            )
        return self._product(found, why_not=f"the release is public without {names}")

    def make(self, context: StageContext) -> Signed:
        """Sign what is not signed yet, after a look at the tag. Raises as `unmoor.ports.signer.Signer` does."""
        release = context[self.release]
        verify_tag_unmoved(self.git, release)
        needed = self._needed(context)
        # Those on the release are in the run folder since `find`.
        found = dict(self._existing(needed, None, context))
        missing = [each for each in needed if each.name not in found]
        if why := self._why_not(context):
            context.warn(f"{len(missing)} of {len(needed)} signatures are not made: {why}")
            return self._product(found, why_not=why)
        identity = self._identity

        def sign(each: NeededSignature) -> None:
            bundle = each.sign(self.signing.signer, identity)
            if fault := each.fault(bundle, self.signing.verifier, release, identity):
                raise BadSignature(f"{each.name}: {fault}", next_step=advice.REJECT_SIGNATURE())
            self.folder.write_signature(each.name, bundle)
            found[each.name] = bundle

        context.say(f"signing {len(missing)} of {len(needed)} as {identity.workflow}")
        if failures := run_parallel(missing, sign, width=SIDE_BY_SIDE):
            raise failures[0]
        return self._product(found)

    def undo(self, product: Signed) -> Undone | NotUndone:
        """Leave the signatures: the log only grows."""
        return NotUndone(
            f"{len(product.bundles)} entries stay in the public log of signatures: they only say that this workflow"
            " signed these files"
        )

    @cached_property
    def _identity(self) -> Identity:
        """Whom this run signs as, by a new ID token."""
        return self.signing.signer.identity()

    def _why_not(self, context: StageContext) -> str:
        """Why nothing is signed although it could be; empty if it is. Raises `Denied` if signatures are required."""
        return why_unsigned(self._identity, context[self.release], required=self.required)

    def _needed(self, context: StageContext) -> tuple[NeededSignature, ...]:
        proofs = tuple(context[each] for each in without_none(self.proof, self.rebuild))
        # The manifest does not list the images: their record has a signature of its own, by which it counts elsewhere.
        documents = complete(
            self.folder,
            context[self.release],
            context[self.dists],
            proofs,
            images=context[self.images] if self.images else None,
            image_proof=context[self.image_proof] if self.image_proof else None,
        )
        return needed_signatures(context[self.release], context[self.dists], context[self.provenance], documents)

    def _release_on_forge(self, context: StageContext) -> ForgeRelease | None:
        """The release of the tag that holds files: the public one, or the draft to continue with."""
        found = sorted(self.forge.releases(context[self.release].tag), key=lambda each: (each.draft, each.id))
        return next((each for each in found if not each.draft or each.assets), None)

    def _existing(
        self, needed: tuple[NeededSignature, ...], there: ForgeRelease | None, context: StageContext
    ) -> Mapping[str, bytes]:
        """The signatures that exist and are good, by name: those on the release, else those in the run folder.

        Of a public release only its own count.
        """
        good: dict[str, bytes] = {}
        for each in needed:
            held = self.folder.read_signature(each.name)
            local = held if there is None or there.draft else None
            for where, bundle in (("the release", self._attached(each.name, there, held)), ("the run folder", local)):
                if bundle is None or each.name in good:
                    continue
                try:
                    fault = each.fault(bundle, self.signing.verifier, context[self.release], self._identity)
                except Unknown as error:
                    fault = error.what
                if fault:
                    context.warn(f"{each.name} in {where} does not count: {fault}")
                    continue
                good[each.name] = bundle
                if bundle != held:
                    self.folder.write_signature(each.name, bundle)
        return good

    def _attached(self, name: str, there: ForgeRelease | None, held: bytes | None) -> bytes | None:
        """The signature on the release, ``None`` if there is none. Not downloaded if the one that is ``held`` is it."""
        asset = find_asset(there, name) if there is not None else None
        if asset is None or not asset.uploaded:
            return None
        if held is not None and asset.sha256 == sha256(held).hexdigest():
            return held
        return content_of(asset, self.forge, limit=MAX_BUNDLE)

    def _product(self, found: Mapping[str, bytes], why_not: str = "") -> Signed:
        bundles = tuple(
            File(
                name=name,
                sha256=sha256(data).hexdigest(),
                size=len(data),
                path=self.folder.signatures / name,
            )
            for name, data in sorted(found.items())
        )
        return Signed(bundles=bundles, why_not=why_not, withheld=why_withheld(self._identity), required=self.required)
