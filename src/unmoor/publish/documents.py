"""The documents of a release, complete before anything leaves the machine: the manifest and the record of images."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.core.waivers import Emergency
from unmoor.images import image_record
from unmoor.images.image_record import ImageRecord, wheel_subjects
from unmoor.products import BuiltDocs, Dists, Images, Proof, Release, Sboms, Verdict


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest and, for a release with images, the record of them, each also as the bytes that are hashed."""

    manifest: Manifest
    manifest_data: bytes
    record: ImageRecord | None = None
    record_data: bytes = b""

    @property
    def digests(self) -> dict[str, str]:
        """The sha256 of each document by its file name, the manifest last."""
        written = {IMAGES: self.record_data} if self.record is not None else {}
        written[manifests.NAME] = self.manifest_data
        return {name: sha256(data).hexdigest() for name, data in written.items()}

    def write(self, folder: RunFolder) -> None:
        """Write the documents into the run folder, unless they are there. This account vouches for them from now on."""
        if folder.read_document(manifests.NAME) != self.manifest_data:
            folder.write_document(manifests.NAME, self.manifest_data)
        if self.record is not None and folder.read_document(IMAGES) != self.record_data:
            folder.write_document(IMAGES, self.record_data)


def complete(
    folder: RunFolder,
    release: Release,
    dists: Dists,
    proofs: tuple[Proof, ...],
    *,
    sboms: Sboms | None = None,
    docs: BuiltDocs | None = None,
    images: Images | None = None,
    image_proof: Proof | None = None,
    emergency: Emergency | None = None,
) -> Documents:
    """Return the documents of a release. Writes nothing.

    A complete manifest of these files in the run folder stays as it is, for example if this run skips a stage that the
    first one did not skip: a manifest never changes. Without ``proofs`` the manifest is not complete: it only hands
    the files to the job that proves them. Without ``sboms`` and ``docs`` it lists those that are documented already. A
    manifest that is completed now records the ``emergency``.
    """
    data = folder.read_document(manifests.NAME)
    known = manifests.decode(data, where=str(folder.manifest)) if data is not None else None
    described = sboms.assets if sboms is not None else folder.documented_sboms(dists.files)
    pages = docs.assets if docs is not None else folder.documented_docs(dists.files)
    manifest = Manifest.of(release, dists, proofs, described, docs=pages, emergency=emergency)
    if data is not None and known is not None and _is_the_same(known, manifest, release):
        manifest = known
    else:
        data = manifests.encode(manifest)
    if images is None or image_proof is None:
        return Documents(manifest=manifest, manifest_data=data)
    record = ImageRecord(commit=release.commit, wheels=wheel_subjects(dists), images=images.images)
    record = record.complete(manifest=sha256(data).hexdigest(), proof=image_proof)
    return Documents(manifest=manifest, manifest_data=data, record=record, record_data=image_record.encode(record))


def _is_the_same(known: Manifest, manifest: Manifest, release: Release) -> bool:
    """Whether a manifest is of this release, names the same files, and has every proof of them that says something."""
    return (
        not known.is_former
        and known.is_of(release)
        and set(known.artifacts) == set(manifest.artifacts)
        and all(known.is_complete(proof.name) for proof in manifest.proofs if not _is_silent(proof))
        and (
            known.is_complete(manifests.PROOF)
            or (set(known.sboms) >= set(manifest.sboms) and set(known.docs) >= set(manifest.docs))
        )
    )


def _is_silent(proof: Proof) -> bool:
    """Whether a proof only says why nothing was tested."""
    return all(result.verdict is Verdict.NOT_TESTED for result in proof.results)
