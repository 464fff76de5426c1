"""The images of a release on their registries: the digests, and the attestations that are about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unmoor.errors import UnmoorError
from unmoor.images.attestations import list_bundles, read_bundle
from unmoor.images.oci_documents import PREDICATE_TYPE
from unmoor.ports.registry import Referrer, Registry
from unmoor.ports.signer import BundleVerifier
from unmoor.products import PushedImage
from unmoor.provenance.statements import CYCLONEDX, PROVENANCE
from unmoor.util.text import clean
from unmoor.verification.checks import CheckedItem, Mark, worst
from unmoor.verification.signers import Signers

_MOST = 50
# What a release says about its images. Others may add what they found out about one, such as the result of a scan.
_OURS = (PROVENANCE, CYCLONEDX)


@dataclass(frozen=True, kw_only=True)
class RegistryImages:
    """What checks images. ``registry`` opens the repository of an image name. ``signed``: they should be signed."""

    registry: Callable[[str], Registry]
    verifier: BundleVerifier
    signers: Signers
    signed: bool

    def check(self, image: PushedImage) -> list[CheckedItem]:
        """Check one image: its digest, the tag of the commit, and what is about it."""
        surface, name = clean(image.name), f"{image.digest[:19]}…"

        def check(mark: Mark, note: str) -> CheckedItem:
            return CheckedItem(surface=surface, name=name, mark=mark, note=note)

        try:
            registry = self.registry(image.name)
            manifest = registry.manifest(image.digest, anonymous=True)
            tagged = registry.head(image.tag)
            if manifest is None:
                return [check(Mark.MISSING, "the registry does not have it")]
            if tagged != image.digest:
                note = f"the tag {clean(image.tag, 130)} is {tagged or 'not there'}, expected {image.digest}"
                return [check(Mark.MISSING if tagged is None else Mark.WRONG, note)]
            found = check(Mark.OK, f"{image.digest}, {clean(image.tag, 130)}")
            return [found, *self._attestations(registry, image, surface)]
        except UnmoorError as error:
            return [CheckedItem.of_error(surface, name, error)]

    def _attestations(self, registry: Registry, image: PushedImage, surface: str) -> list[CheckedItem]:
        """Check the bundles about an image, and the SBOM of each of its platforms, which has a digest of its own."""
        by_type = self._about(registry, image.digest, surface, _OURS)
        if self.signed and PROVENANCE not in by_type:
            note = "nothing on the registry says how it was made"
            by_type[PROVENANCE] = CheckedItem(surface=surface, name=_name(image.digest), mark=Mark.MISSING, note=note)
        found = [result for _, result in sorted(by_type.items())]
        for digest in dict.fromkeys(each for _, each in image.platforms[:_MOST] if each != image.digest):
            found += self._about(registry, digest, surface, (CYCLONEDX,)).values()
        return found

    def _about(self, registry: Registry, digest: str, surface: str, kinds: tuple[str, ...]) -> dict[str, CheckedItem]:
        """Check the bundles about a digest, by the type that the list says. One that is good of each type is enough."""
        by_type: dict[str, list[CheckedItem]] = {}
        for each in list_bundles(registry, digest)[:_MOST]:
            kind = each.annotations.get(PREDICATE_TYPE, PROVENANCE)
            if kind in kinds:
                by_type.setdefault(kind, []).append(self._check(registry, digest, each, surface))
        return {kind: self._best(results) for kind, results in by_type.items()}

    def _best(self, results: list[CheckedItem]) -> CheckedItem:
        """The first good result, else the first of the worst ones."""
        good = [each for each in results if each.mark is Mark.OK]
        return good[0] if good else next(each for each in results if each.mark is worst(results))

    def _check(self, registry: Registry, digest: str, about: Referrer, surface: str) -> CheckedItem:
        name = _name(digest)
        try:
            mark, note = self._judge(registry, digest, about)
        except UnmoorError as error:
            return CheckedItem.of_error(surface, name, error)
        return CheckedItem(surface=surface, name=name, mark=mark, note=note)

    def _judge(self, registry: Registry, digest: str, about: Referrer) -> tuple[Mark, str]:
        seen = self.verifier.statement(read_bundle(registry, digest, about))
        wanted = digest.removeprefix("sha256:")
        digests = {each.sha256 for each in seen.subjects}
        if digests != {wanted}:
            return Mark.WRONG, f"it signs {clean(', '.join(sorted(digests)), 150)}, and the image has {wanted}"
        kind = about.annotations.get(PREDICATE_TYPE, seen.predicate_type)
        if seen.predicate_type != kind:
            return Mark.WRONG, f"it is of the type {clean(seen.predicate_type, 100)}, and the list says {kind}"
        return self.signers.judge(seen)


def _name(digest: str) -> str:
    return f"attestation of {digest[:19]}…"
