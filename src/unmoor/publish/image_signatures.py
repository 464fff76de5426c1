"""The signed provenance and bills of materials of pushed images: which is there, and why another one does not count.

A registry holds what anybody with a login put there, and its list of referrers is only a claim. So a signature counts
if it verifies, is about this digest, and was made by the workflow of this release.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from unmoor import advice
from unmoor.errors import BadSignature, Cause, Conflict, Unknown
from unmoor.images import oci_documents
from unmoor.images.attestations import list_bundles, read_bundle
from unmoor.images.image_plan import read_remote
from unmoor.ports.registry import Referrer, Registry
from unmoor.ports.signer import Bundle, BundleVerifier, Identity
from unmoor.products import Dists, ImageSbom, ImageSboms, PushedImage, Release, Subject
from unmoor.provenance.identity import WORKFLOWS, workflow_path
from unmoor.provenance.names import bundle_name, image_bundle_name, image_sbom_name
from unmoor.provenance.statements import CYCLONEDX, PROVENANCE, Dependency, image_provenance, sbom_statement
from unmoor.publish.signatures import NeededSignature, sbom_content
from unmoor.util.text import clean
from unmoor.util.values import replace


class ImageStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that should be signed and beside an image: about ``digest``, in the repository ``name``.

    ``digest`` is that of the whole image, or of one platform. ``sbom`` is the bill of materials to sign, ``None`` if
    there is none in this run.
    """

    name: str
    digest: str
    predicate_type: str = PROVENANCE
    sbom: ImageSbom | None = None

    @property
    def is_sbom(self) -> bool:
        """Whether it is a bill of materials, and not provenance."""
        return self.predicate_type == CYCLONEDX

    @property
    def needed(self) -> NeededSignature:
        """The signature that it should have: its only subject is the digest.

        Any bill of materials counts: one that another day made may have found other things in the same image.
        """
        file = image_bundle_name(self.name, self.digest)
        return NeededSignature(
            name=bundle_name(image_sbom_name(self.name, self.digest)) if self.is_sbom else file,
            subjects=(self._subject,),
            predicate_type=self.predicate_type,
        )

    @property
    def _subject(self) -> Subject:
        return Subject(name=self.name, sha256=self.digest.removeprefix("sha256:"))

    def write(self, identity: Identity, dists: Dists) -> bytes:
        """Write it: what the image has in it; or the run that made it, and the files of the release that it may have.

        Raises `Unknown` if the bill of materials cannot be read.
        """
        if self.sbom is not None:
            return sbom_statement(self._subject, sbom_content(self.sbom.file))
        files = [
            Dependency(uri=f"pkg:generic/{file.name}", digests={"sha256": file.sha256})
            for file in dists.files
            if file.name.endswith(".whl")
        ]
        return image_provenance(self.name, self.digest, run=identity, dependencies=files)


class SeenStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry has of one statement: the signature that counts, and why each of the others does not."""

    about: ImageStatement
    referrer: str = ""
    faults: tuple[str, ...] = ()


def statements_of(pushed: Iterable[PushedImage], *, sboms: bool) -> tuple[ImageStatement, ...]:
    """Every statement about some images once: two targets may be the same image on one registry.

    ``sboms``: also the bill of materials of each platform, which is not the same on all.
    """
    found: list[ImageStatement] = []
    for image in pushed:
        found.append(ImageStatement(name=image.name, digest=image.digest))
        platforms = image.platforms if sboms else ()
        found += [ImageStatement(name=image.name, digest=each, predicate_type=CYCLONEDX) for _, each in platforms]
    return tuple(dict.fromkeys(found))


def with_sboms(
    missing: Iterable[ImageStatement], pushed: Iterable[PushedImage], sboms: ImageSboms, registry: Registry
) -> Iterator[ImageStatement]:
    """Give each bill of materials that is missing on a registry the one of that very image, if there is one.

    Raises as `unmoor.ports.registry.Registry.manifest` does.
    """
    missing = tuple(missing)
    found: dict[str, ImageSbom] = {}
    if any(each.is_sbom for each in missing) and sboms.sboms:
        for digest in dict.fromkeys(image.digest for image in pushed if image.name == registry.name):
            remote = read_remote(registry, digest)
            if remote is not None:
                found |= {remote.digest_of(sbom.image): sbom for sbom in sboms.sboms}
    for each in missing:
        yield replace(each, sbom=found.get(each.digest)) if each.is_sbom else each


class StatementJudge(msgspec.Struct, frozen=True, kw_only=True):
    """Decides whether a signature is that of a statement about an image, made by the workflow of a release.

    ``identity`` is that of this run: whose repository and workflow count. For a run without an identity it is the
    repository with this number, and the workflow with this path, or if that is empty any one of that repository.
    """

    verifier: BundleVerifier
    release: Release
    identity: Identity | None
    repository_id: str = ""
    workflow: str = ""

    def look(self, about: ImageStatement, registry: Registry) -> SeenStatement:
        """Read what the registry has of this type about an image, and verify it. The first good one counts.

        Another type of statement belongs to somebody else, and is not read. Raises `Denied`, `Unknown`, `Conflict` if
        the list of referrers cannot be read.
        """
        good = ""
        faults: list[str] = []
        for each in list_bundles(registry, about.digest):
            if each.annotations.get(oci_documents.PREDICATE_TYPE, PROVENANCE) != about.predicate_type:
                continue
            fault = self._fault_of_listed(each, about, registry)
            if not fault and not good:
                good = each.digest
            else:
                faults.append(f"{about.name}@{each.digest}: {fault or f'it says the same as {good}'}")
        return SeenStatement(about=about, referrer=good, faults=tuple(faults))

    def fault(self, bundle: Bundle, about: ImageStatement) -> str:
        """What is wrong with a signature, which may also be no bundle at all; empty if it counts."""
        needed = about.needed
        try:
            return needed.fault(bundle, self.verifier, self.release, self.identity or self._signer(needed, bundle))
        except (BadSignature, Unknown) as error:
            return error.what

    def _signer(self, needed: NeededSignature, bundle: Bundle) -> Identity:
        """Who signed, if that is a workflow of the repository. Raises `BadSignature`, `Unknown`."""
        signer = needed.verified(bundle, self.verifier).identity
        path = workflow_path(signer)
        if not path.startswith(WORKFLOWS):
            raise BadSignature(
                f"the workflow is {clean(path, 200)}, of another repository", next_step=advice.REJECT_SIGNATURE()
            )
        if self.workflow and path != self.workflow:
            raise BadSignature(
                f"the workflow is {clean(path, 200)}, expected {self.workflow}", next_step=advice.REJECT_SIGNATURE()
            )
        return replace(signer, repository_id=self.repository_id)

    def _fault_of_listed(self, referrer: Referrer, about: ImageStatement, registry: Registry) -> str:
        """What is wrong with a listed signature; empty if it counts. Raises `Unknown` if the registry fails."""
        try:
            bundle = read_bundle(registry, about.digest, referrer)
        except (BadSignature, Conflict) as error:
            return error.what
        except Unknown as error:
            if error.cause is not Cause.NONSENSE:
                raise
            return error.what
        return self.fault(bundle, about)
