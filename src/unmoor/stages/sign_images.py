"""The stage ``sign-images``: sign the provenance of each pushed image, and put it beside the image on its registry.

An image has its digest only after the push. The signature is a referrer of that digest, which tools for Sigstore find.
It is put there before anything goes to the index: so under ``required`` no file is public without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.errors import BadSignature, Denied, Rejected, UnmoorError
from unmoor.images.attestations import put_bundle, read_bundle
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.ports.signer import SIDE_BY_SIDE, Bundle, Identity, Signing
from unmoor.products import Dists, Pushed, PushedImage, Release, SignedImage, SignedImages
from unmoor.provenance.statements import PROVENANCE
from unmoor.publish.image_signatures import (
    ProvenanceJudge,
    SeenImage,
    images_to_sign,
    needed_signature,
    statement_of,
)
from unmoor.publish.signatures import no_identity, why_unsigned
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import count_of


@dataclass(frozen=True, kw_only=True)
class SignImages(Push[SignedImages]):
    """Signs every image that has no provenance yet. ``required``: an image without it stops the release.

    ``workflow`` is the one whose signatures count for a run without an identity; empty: any one.
    """

    name: str = "sign-images"
    release: Output[Release]
    dists: Output[Dists]
    pushed: Output[Pushed]
    signing: Signing
    registries: tuple[Registry, ...]
    forge: Forge
    git: Git
    folder: RunFolder
    required: bool = False
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
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            pushed=pushed,
            signing=signing,
            registries=request.registries(services),
            forge=services.forge,
            git=services.git,
            folder=request.folder,
            required=request.settings.attestations == "required",
            workflow=request.settings.release_workflow,
        )

    def plan(self) -> str:
        """Say what would be signed, and as whom."""
        names = ", ".join(registry.name for registry in self.registries)
        origin = self.signing.signer.credential().origin
        return (
            f"sign the provenance of each image with the identity of {origin}, and put it beside the image on {names}"
        )

    def find(self, context: StageContext) -> SignedImages | None:
        """Return the signed images if all are, or if this run cannot sign the others.

        Raises `Conflict`, `Denied` and `Unknown` if a registry does not say what is about an image.
        """
        seen = self._look(context)
        if all(each.referrer for each in seen):
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
        missing = [each.image for each in seen if not each.referrer]
        if missing and (why := self._why_not(context)):
            context.warn(f"{len(missing)} of {count_of(len(seen), 'image')} not signed: {why}")
            return _product(seen, why_not=why)
        put: dict[PushedImage, str] = {}
        refused: dict[str, UnmoorError] = {}

        def sign(image: PushedImage) -> None:
            bundle = self._bundle(image, context)
            try:
                put[image] = self._put(image, bundle)
            except (Rejected, Denied) as error:
                if self.required:
                    raise
                refused[image.name] = error

        if missing:
            context.say(f"signing {len(missing)} of {count_of(len(seen), 'image')} as {self._identity.workflow}")
        if failures := run_parallel(missing, sign, width=SIDE_BY_SIDE):
            raise failures[0]
        why = "; ".join(f"{name}: {error.what}" for name, error in sorted(refused.items()))
        if why:
            context.warn(f"{count_of(len(missing) - len(put), 'image')} not signed: {why}")
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

    def _judge(self, context: StageContext) -> ProvenanceJudge:
        known = self.signing.signer.credential().present
        return ProvenanceJudge(
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

    def _look(self, context: StageContext) -> tuple[SeenImage, ...]:
        """Look at every image, side by side, and name what does not count."""
        images = images_to_sign(context[self.pushed].images)
        judge = self._judge(context)
        seen: dict[PushedImage, SeenImage] = {}

        def look(image: PushedImage) -> None:
            seen[image] = judge.look(image, self._known[image.name])

        if failures := run_parallel(images, look, width=SIDE_BY_SIDE):
            raise failures[0]
        for image in images:
            for fault in seen[image].faults:
                context.warn(f"a signature beside an image does not count: {fault}")
        return tuple(seen[image] for image in images)

    def _bundle(self, image: PushedImage, context: StageContext) -> Bundle:
        """The signature of an image: the one that a killed run left in the run folder, if it is good, or a new one."""
        name = needed_signature(image).name
        judge = self._judge(context)
        held = self.folder.read_signature(name)
        if held is not None and not judge.fault(held, image):
            return held
        bundle = self.signing.signer.sign_statement(statement_of(image, self._identity, context[self.dists]))
        if fault := judge.fault(bundle, image):
            raise BadSignature(f"{image.name}@{image.digest}: {fault}", next_step=advice.REJECT_SIGNATURE())
        self.folder.write_signature(name, bundle)
        return bundle

    def _put(self, image: PushedImage, bundle: Bundle) -> str:
        """Put a signature beside its image, and read it back. Return the digest of the referrer."""
        registry = self._known[image.name]
        created = self.signing.verifier.statement(bundle).time
        referrer = put_bundle(registry, image.digest, bundle, PROVENANCE, created=created)
        if read_bundle(registry, image.digest, referrer) != bundle:
            raise BadSignature(
                "the signature is another one when read back",
                where=f"{registry.name}@{referrer.digest}",
                next_step=advice.REJECT_SIGNATURE(),
            )
        return referrer.digest


def _product(
    seen: tuple[SeenImage, ...], put: Mapping[PushedImage, str] | None = None, why_not: str = ""
) -> SignedImages:
    found = ((each.image, each.referrer or (put or {}).get(each.image, "")) for each in seen)
    return SignedImages(
        images=tuple(
            SignedImage(name=image.name, digest=image.digest, referrer=referrer)
            for image, referrer in found
            if referrer
        ),
        why_not=why_not,
    )
