"""The stage ``sign-images``: sign the provenance and the SBOM of each pushed image, and put both beside it.

An image has its digest only after the push. The signature is a referrer of that digest, which tools for Sigstore find.
It is put there before anything goes to the index: so under ``required`` no file is public without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.errors import BadSignature, Denied, Incomplete, Rejected, UnmoorError
from unmoor.images.attestations import put_bundle, read_bundle
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.ports.signer import SIDE_BY_SIDE, Bundle, Identity, Signing
from unmoor.products import Dists, ImageSboms, Pushed, Release, SignedImage, SignedImages
from unmoor.publish.image_signatures import (
    ImageStatement,
    SeenStatement,
    StatementJudge,
    statements_of,
    with_sboms,
)
from unmoor.publish.signatures import no_identity, why_unsigned
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import count_of, list_some


@dataclass(frozen=True, kw_only=True)
class SignImages(Push[SignedImages]):
    """Signs the provenance and the bill of materials of every image. ``required``: unsigned images stop the release.

    ``sboms`` is ``None`` if the release has no bills of materials; ``sbom_required``: an image without one stops it.
    ``workflow`` is the one whose signatures count for a run without an identity; empty: any one.
    """

    name: str = "sign-images"
    release: Output[Release]
    dists: Output[Dists]
    pushed: Output[Pushed]
    sboms: Output[ImageSboms] | None
    signing: Signing
    registries: tuple[Registry, ...]
    forge: Forge
    git: Git
    folder: RunFolder
    required: bool = False
    sbom_required: bool = False
    workflow: str = ""

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        signing: Signing,
        release: Output[Release],
        dists: Output[Dists],
        pushed: Output[Pushed],
        sboms: Output[ImageSboms] | None,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            pushed=pushed,
            sboms=sboms,
            signing=signing,
            registries=request.registries(services),
            forge=services.forge,
            git=services.git,
            folder=request.folder,
            required=request.settings.attestations == "required",
            sbom_required=request.settings.sbom == "required",
            workflow=request.settings.release_workflow,
        )

    def plan(self) -> str:
        """Say what would be signed, and as whom."""
        names = ", ".join(registry.name for registry in self.registries)
        origin = self.signing.signer.credential().origin
        what = "the provenance" if self.sboms is None else "the provenance and the SBOM"
        return f"sign {what} of each image with the identity of {origin}, and put it beside the image on {names}"

    def find(self, context: StageContext) -> SignedImages | None:
        """Return the signed images if all are, or if this run cannot sign the others.

        Raises `Conflict`, `Denied` and `Unknown` if a registry does not say what is about an image.
        """
        seen = self._look(context)
        if not self._missing(seen, context):
            return _product(seen)
        why = self._why_not(context)
        return _product(seen, why_not=why) if why else None

    def make(self, context: StageContext) -> SignedImages:
        """Sign what is not signed yet, after a look at the tag, and read it back.

        A registry that refuses signatures is an error only if they are required. Raises as
        `unmoor.ports.signer.Signer` and `unmoor.ports.registry.Registry` do.
        """
        verify_tag_unmoved(self.git, context[self.release])
        seen = self._look(context)
        missing = self._missing(seen, context)
        if missing and (why := self._why_not(context)):
            context.warn(f"{_images(missing)} not signed: {why}")
            return _product(seen, why_not=why)
        self._require_sboms(missing, context)
        # Two statements about one digest are in one list, and the second to write it would drop the first.
        turns: dict[tuple[str, str], Lock] = {(each.name, each.digest): Lock() for each in missing}
        put: dict[ImageStatement, str] = {}
        refused: dict[str, UnmoorError] = {}

        def sign(about: ImageStatement) -> None:
            bundle = self._bundle(about, context)
            try:
                with turns[about.name, about.digest]:
                    put[about] = self._put(about, bundle)
            except (Rejected, Denied) as error:
                if self.required or (self.sbom_required and about.is_sbom):
                    raise
                refused[about.name] = error

        if missing:
            context.say(f"signing {count_of(len(missing), 'statement')} about images as {self._identity.workflow}")
        if failures := run_parallel(missing, sign, width=SIDE_BY_SIDE):
            raise failures[0]
        why = "; ".join(f"{name}: {error.what}" for name, error in sorted(refused.items()))
        if why:
            context.warn(f"{_images([each for each in missing if each not in put])} not signed: {why}")
        return _product(seen, put, why_not=why)

    def undo(self, product: SignedImages) -> Undone | NotUndone:
        """Leave the signatures: the log only grows, and each is deleted with its image."""
        if not product.images:
            return Undone("no image was signed")
        return NotUndone(
            f"{count_of(len(product.images), 'signature')} of images stay in the public log, and beside the images"
            " until the registry is cleaned: they only say that this workflow made these images"
        )

    @cached_property
    def _identity(self) -> Identity:
        """Whom this run signs as, by a new ID token."""
        return self.signing.signer.identity()

    @cached_property
    def _known(self) -> Mapping[str, Registry]:
        return {registry.name: registry for registry in self.registries}

    def _judge(self, context: StageContext) -> StatementJudge:
        known = self.signing.signer.credential().present
        return StatementJudge(
            verifier=self.signing.verifier,
            release=context[self.release],
            identity=self._identity if known else None,
            repository_id="" if known else self.forge.repository().id,
            workflow=self.workflow,
        )

    def _why_not(self, context: StageContext) -> str:
        """Why nothing is signed although it could be; empty if it is. Raises `Denied` if signatures are required."""
        credential = self.signing.signer.credential()
        if not credential.present:
            raise no_identity(credential)
        return why_unsigned(self._identity, context[self.release], required=self.required)

    def _look(self, context: StageContext) -> tuple[SeenStatement, ...]:
        """Look for every statement about every image, side by side, and name what does not count."""
        wanted = statements_of(context[self.pushed].images, sboms=self.sboms is not None)
        judge = self._judge(context)
        seen: dict[ImageStatement, SeenStatement] = {}

        def look(about: ImageStatement) -> None:
            seen[about] = judge.look(about, self._known[about.name])

        if failures := run_parallel(wanted, look, width=SIDE_BY_SIDE):
            raise failures[0]
        for about in wanted:
            for fault in seen[about].faults:
                context.warn(f"a signature beside an image does not count: {fault}")
        return tuple(seen[about] for about in wanted)

    def _missing(self, seen: tuple[SeenStatement, ...], context: StageContext) -> list[ImageStatement]:
        """What is to be signed: what is not there, but a bill of materials only if this run has it or must have it.

        A run that cannot sign does not stop for a bill of materials that nobody requires.
        """
        lacking = [each.about for each in seen if not each.referrer]
        if self.sboms is None or not lacking:
            return lacking
        sboms, pushed = context[self.sboms], context[self.pushed].images
        found = [
            each
            for registry in self._known.values()
            for each in with_sboms((one for one in lacking if one.name == registry.name), pushed, sboms, registry)
        ]
        signs = self.signing.signer.credential().present
        return [each for each in found if not each.is_sbom or self.sbom_required or (signs and each.sbom is not None)]

    def _require_sboms(self, missing: list[ImageStatement], context: StageContext) -> None:
        """Raise `Incomplete` if an image has no bill of materials, and one is required."""
        bare = [f"{each.name}@{each.digest}" for each in missing if each.is_sbom and each.sbom is None]
        if bare:
            why = context[self.sboms].why_not if self.sboms is not None else ""
            raise Incomplete(
                f"neither the registry nor this run has an SBOM of {list_some(bare)}{f': {why}' if why else ''}",
                next_step=advice.ALLOW_MISSING_SBOMS(),
            )

    def _bundle(self, about: ImageStatement, context: StageContext) -> Bundle:
        """The signature of a statement: what a killed run left in the run folder, if it is good, or a new one."""
        name = about.needed.name
        judge = self._judge(context)
        held = self.folder.read_signature(name)
        if held is not None and not judge.fault(held, about):
            return held
        bundle = self.signing.signer.sign_statement(about.write(self._identity, context[self.dists]))
        if fault := judge.fault(bundle, about):
            raise BadSignature(f"{about.name}@{about.digest}: {fault}", next_step=advice.REJECT_SIGNATURE())
        self.folder.write_signature(name, bundle)
        return bundle

    def _put(self, about: ImageStatement, bundle: Bundle) -> str:
        """Put a signature beside its image, and read it back. Return the digest of the referrer."""
        registry = self._known[about.name]
        created = self.signing.verifier.statement(bundle).time
        referrer = put_bundle(registry, about.digest, bundle, about.predicate_type, created=created)
        if read_bundle(registry, about.digest, referrer) != bundle:
            raise BadSignature(
                "the signature is another one when read back",
                where=f"{registry.name}@{referrer.digest}",
                next_step=advice.REJECT_SIGNATURE(),
            )
        return referrer.digest


def _images(statements: list[ImageStatement]) -> str:
    """The number of images that some statements are about."""
    return count_of(len({(each.name, each.digest) for each in statements}), "image")


def _product(
    seen: tuple[SeenStatement, ...], put: Mapping[ImageStatement, str] | None = None, why_not: str = ""
) -> SignedImages:
    # What was put there may have got its bill of materials since it was looked for.
    known = {(each.name, each.digest, each.predicate_type): referrer for each, referrer in (put or {}).items()}
    images: list[SignedImage] = []
    sboms: list[SignedImage] = []
    for each in seen:
        about = each.about
        referrer = each.referrer or known.get((about.name, about.digest, about.predicate_type), "")
        if referrer:
            signed = SignedImage(name=about.name, digest=about.digest, referrer=referrer)
            (sboms if about.is_sbom else images).append(signed)
    return SignedImages(images=tuple(images), sboms=tuple(sboms), why_not=why_not)
