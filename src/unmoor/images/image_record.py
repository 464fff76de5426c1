"""The record of images: which ones were built, from which wheels, and the proofs of them.

``images.json`` is complete: it is handed to other jobs, and attached to the draft before the first image is pushed.
``built-images.json`` holds the same before the images are proven. Both count only if they are vouched for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.artifacts.manifest import LIMIT
from unmoor.artifacts.run_dir import BUILT_IMAGES, IMAGES, RunFolder
from unmoor.errors import Unknown
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.safe_folder import remove
from unmoor.products import Dists, Image, Images, Proof, Subject
from unmoor.util.decode import decode_json
from unmoor.util.values import replace

SCHEMA = 2
PROOF = "prove-images"
_PUBLISHED = "published-images.json"


class ImageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The images of a commit, the wheels in them (name and sha256), and the proofs of the images.

    ``manifest`` is the sha256 of the manifest that these images belong to, empty before that is complete.
    """

    schema: int = SCHEMA
    commit: str
    wheels: tuple[Subject, ...]
    images: tuple[Image, ...]
    manifest: str = ""
    proofs: tuple[Proof, ...] = ()

    def proof(self) -> Proof | None:
        """The proof of the images, ``None`` if there is none."""
        return next((proof for proof in self.proofs if proof.name == PROOF), None)

    def complete(self, *, manifest: str, proof: Proof) -> ImageRecord:
        """The record with its proof, for the manifest with that sha256."""
        return replace(self, manifest=manifest, proofs=(proof,))


def wheel_subjects(dists: Dists) -> tuple[Subject, ...]:
    """The wheels that images contain, by name and sha256."""
    return tuple(Subject(name=wheel.name, sha256=wheel.sha256) for wheel in dists.wheels)


def encode(record: ImageRecord) -> bytes:
    """Encode as JSON with an indent of two and a final newline."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=2) + b"\n"


def decode(data: bytes, *, where: str) -> ImageRecord:
    """Decode JSON. Raises `Unknown` if it is no record that this version can read."""
    try:
        record = decode_json(data, ImageRecord)
    except ValueError as error:
        raise Unknown(
            f"this is not a record of images: {error}", where=where, next_step=advice.REMOVE_FILE()
        ) from error
    if record.schema != SCHEMA:
        raise Unknown(
            f"cannot read a record of images of schema {record.schema}",
            where=where,
            next_step=advice.USE_VERSION_THAT_WROTE_IT(),
            retryable=False,
        )
    return record


def images_archive(folder: RunFolder) -> Path:
    """Return the path of the archive that keeps built images for a later job."""
    return folder.path / "images.tar"


def read_record(folder: RunFolder) -> ImageRecord | None:
    """Read what was built: the complete record, else that of the build. ``None`` if none counts. Raises `Unknown`."""
    for name in (IMAGES, BUILT_IMAGES):
        data = folder.read_document(name)
        if data is not None:
            return decode(data, where=str(folder.path / name))
    return None


def write_build_record(folder: RunFolder, commit: str, wheels: tuple[Subject, ...], images: Images) -> None:
    """Write the record of what was built. A complete record of other images does not count any more."""
    record = ImageRecord(commit=commit, wheels=wheels, images=images.images)
    folder.write_document(BUILT_IMAGES, encode(record))
    remove(folder.path / IMAGES)


def keep_published(folder: RunFolder, data: bytes) -> None:
    """Keep the record of a public release that nothing vouches for, apart from the documents that count."""
    folder.open()
    write_atomic(folder.path / _PUBLISHED, data)


def read_published(folder: RunFolder) -> ImageRecord | None:
    """Read the record of a public release that nothing vouches for; ``None`` if there is none. Raises `Unknown`."""
    try:
        data = read_regular(folder.path / _PUBLISHED, LIMIT)
    except FileNotFoundError:
        return None
    return decode(data, where=str(folder.path / _PUBLISHED))


def proofs(folder: RunFolder) -> Iterable[Proof]:
    """The proofs of images that count: the one made here, then that of the record. Raises `Unknown`."""
    record = read_record(folder)
    known = (folder.read_proof(PROOF), record.proof() if record is not None else None)
    return (proof for proof in known if proof is not None)
