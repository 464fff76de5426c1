"""The images of a release on their registries: the digests, and the attestations that are about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from unmoor.artifacts import oci
from unmoor.errors import UnmoorError
from unmoor.ports.registry import Referrer, Registry
from unmoor.ports.signer import BundleVerifier
from unmoor.products import PushedImage
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.verification.checks import CheckedItem, Mark, worst
from unmoor.verification.signers import Signers

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The type of a referrer that holds a Sigstore bundle."""
_MOST = 50


class _Descriptor(msgspec.Struct, frozen=True):
    digest: str
    media_type: str = msgspec.field(name="mediaType", default="")
    size: int = 0


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[_Descriptor]
    subject: _Descriptor | None = None


@dataclass(frozen=True, kw_only=True)
class OnRegistry:
    """What checks images. ``registry`` opens the repository of an image name."""

    registry: Callable[[str], Registry]
    verifier: BundleVerifier
    signers: Signers
    signed: bool

    def check(self, image: PushedImage) -> list[CheckedItem]:
        """Check one image: its digest, the tag of the commit, and what is about it. ``signed``: it should be signed."""
        surface, name = clean(image.name), f"{image.digest[:19]}…"
        try:
            registry = self.registry(image.name)
            manifest = registry.manifest(image.digest, anonymous=True)
            tagged = registry.head(image.tag)
            if manifest is None:
                return [
                    CheckedItem(surface=surface, name=name, mark=Mark.MISSING, note="the registry does not have it")
                ]
            if tagged != image.digest:
                mark = Mark.MISSING if tagged is None else Mark.WRONG
                note = f"the tag {clean(image.tag, 130)} is {tagged or 'not there'}, expected {image.digest}"
                return [CheckedItem(surface=surface, name=name, mark=mark, note=note)]
            found = CheckedItem(
                surface=surface, name=name, mark=Mark.OK, note=f"{image.digest}, {clean(image.tag, 130)}"
            )
            return [found, *self._attestations(registry, image, surface)]
        except UnmoorError as error:
            return [CheckedItem.of_error(surface, name, error)]

    def _attestations(self, registry: Registry, image: PushedImage, surface: str) -> list[CheckedItem]:
        """Check every Sigstore bundle that is about an image. Anybody may attach one: one of ours is enough."""
        name = f"attestation of {image.digest[:19]}…"
        about = [each for each in registry.referrers(image.digest) if each.artifact_type == BUNDLE][:_MOST]
        if not about:
            if not self.signed:
                return []
            return [
                CheckedItem(surface=surface, name=name, mark=Mark.MISSING, note="nothing on the registry is about it")
            ]
        results = [self._check(registry, image, each, surface, name) for each in about]
        good = [each for each in results if each.mark is Mark.OK]
        return good or [next(each for each in results if each.mark is worst(results))]

    def _check(self, registry: Registry, image: PushedImage, about: Referrer, surface: str, name: str) -> CheckedItem:
        try:
            mark, note = self._judge(registry, image, about)
        except UnmoorError as error:
            return CheckedItem.of_error(surface, name, error)
        return CheckedItem(surface=surface, name=name, mark=mark, note=note)

    def _judge(self, registry: Registry, image: PushedImage, about: Referrer) -> tuple[Mark, str]:
        manifest = registry.manifest(about.digest, anonymous=True)
        if manifest is None:
            return Mark.MISSING, f"the list of what is about it names {about.digest}, which is not there"
        try:
            read = decode_json(manifest.data, _Manifest)
        except ValueError as error:
            return Mark.UNKNOWN, f"{about.digest} is no manifest with layers: {clean(str(error), 100)}"
        if read.subject is None or read.subject.digest != image.digest:
            return Mark.WRONG, f"{about.digest} is about another image, and the list names it for this one"
        layers = [each.digest for each in read.layers if oci.is_digest(each.digest)]
        if len(layers) != 1:
            return Mark.UNKNOWN, f"{about.digest} has {len(layers)} layers, expected one"
        seen = self.verifier.statement(registry.blob(layers[0]))
        wanted = image.digest.removeprefix("sha256:")
        digests = {each.sha256 for each in seen.subjects}
        if digests != {wanted}:
            return Mark.WRONG, f"it signs {clean(', '.join(sorted(digests)), 150)}, and the image has {wanted}"
        mark, note = self.signers.judge(seen)
        return mark, f"{note} ({clean(seen.predicate_type, 60)})" if mark is Mark.OK else note
