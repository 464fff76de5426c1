"""The signed provenance of pushed images: which is there, and why another one does not count.

A registry holds what anybody with a login put there, and its list of referrers is only a claim. So a signature counts
if it verifies, is about this digest, and was made by the workflow of this release.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from unmoor import advice
from unmoor.errors import BadSignature, Cause, Conflict, Unknown
from unmoor.images import oci_documents
from unmoor.images.attestations import list_bundles, read_bundle
from unmoor.ports.registry import Referrer, Registry
from unmoor.ports.signer import Bundle, BundleVerifier, Identity
from unmoor.products import Dists, PushedImage, Release, Subject
from unmoor.provenance.identity import workflow_path
from unmoor.provenance.names import image_bundle_name
from unmoor.provenance.statements import PROVENANCE, Dependency, image_provenance
from unmoor.publish.signatures import NeededSignature
from unmoor.util.text import clean
from unmoor.util.values import replace

_OWN_WORKFLOWS = ".github/workflows/"


class SeenImage(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry has about one image: the signature that counts, and why each of the others does not."""

    image: PushedImage
    referrer: str = ""
    faults: tuple[str, ...] = ()


def images_to_sign(pushed: Iterable[PushedImage]) -> tuple[PushedImage, ...]:
    """Every image once: two targets may be the same image on one registry."""
    return tuple({(each.name, each.digest): each for each in pushed}.values())


def needed_signature(image: PushedImage) -> NeededSignature:
    """The signature that an image should have: provenance whose only subject is its digest."""
    subject = Subject(name=image.name, sha256=image.digest.removeprefix("sha256:"))
    return NeededSignature(
        name=image_bundle_name(image.name, image.digest), subjects=(subject,), predicate_type=PROVENANCE
    )


def statement_of(image: PushedImage, identity: Identity, dists: Dists) -> bytes:
    """Write the provenance of an image: the run that made it, and the files of the release that it may contain."""
    files = [
        Dependency(uri=f"pkg:generic/{file.name}", digests={"sha256": file.sha256})
        for file in dists.files
        if file.name.endswith(".whl")
    ]
    return image_provenance(image.name, image.digest, run=identity, dependencies=files)


class ProvenanceJudge(msgspec.Struct, frozen=True, kw_only=True):
    """Decides whether a signature is the provenance of an image, made by the workflow of a release.

    ``identity`` is that of this run: whose repository and workflow count. For a run without an identity it is the
    repository with this number, and the workflow with this path, or if that is empty any one of that repository.
    """

    verifier: BundleVerifier
    release: Release
    identity: Identity | None
    repository_id: str = ""
    workflow: str = ""

    def look(self, image: PushedImage, registry: Registry) -> SeenImage:
        """Read every provenance that the registry has of an image, and verify it. The first good one counts.

        Another type of statement belongs to somebody else, and is not read. Raises `Denied`, `Unknown`, `Conflict` if
        the list of referrers cannot be read.
        """
        good = ""
        faults: list[str] = []
        for each in list_bundles(registry, image.digest):
            if each.annotations.get(oci_documents.PREDICATE_TYPE, PROVENANCE) != PROVENANCE:
                continue
            fault = self._fault_of_listed(each, image, registry)
            if not fault and not good:
                good = each.digest
            else:
                faults.append(f"{image.name}@{each.digest}: {fault or f'it says the same as {good}'}")
        return SeenImage(image=image, referrer=good, faults=tuple(faults))

    def fault(self, bundle: Bundle, image: PushedImage) -> str:
        """What is wrong with a signature, which may also be no bundle at all; empty if it counts."""
        needed = needed_signature(image)
        try:
            return needed.fault(bundle, self.verifier, self.release, self.identity or self._signer(needed, bundle))
        except (BadSignature, Unknown) as error:
            return error.what

    def _signer(self, needed: NeededSignature, bundle: Bundle) -> Identity:
        """Who signed, if that is a workflow of the repository. Raises `BadSignature`, `Unknown`."""
        signer = needed.verified(bundle, self.verifier).identity
        path = workflow_path(signer)
        if not path.startswith(_OWN_WORKFLOWS):
            raise BadSignature(
                f"the workflow is {clean(path, 200)}, of another repository", next_step=advice.REJECT_SIGNATURE()
            )
        if self.workflow and path != self.workflow:
            raise BadSignature(
                f"the workflow is {clean(path, 200)}, expected {self.workflow}", next_step=advice.REJECT_SIGNATURE()
            )
        return replace(signer, repository_id=self.repository_id)

    def _fault_of_listed(self, referrer: Referrer, image: PushedImage, registry: Registry) -> str:
        """What is wrong with a listed signature; empty if it counts. Raises `Unknown` if the registry fails."""
        try:
            bundle = read_bundle(registry, image.digest, referrer)
        except (BadSignature, Conflict) as error:
            return error.what
        except Unknown as error:
            if error.cause is not Cause.NONSENSE:
                raise
            return error.what
        return self.fault(bundle, image)
