"""Legs: merge the images that other machines built into one run folder, by the record of each machine.

A leg is the folder ``.unmoor/<tag>`` of a run that built some of the platforms, proved them and kept them.
Its record counts only if it is vouched for, and has the same commit and the same wheels. The archives stay where they
are, and each image in them is still checked by its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from unmoor import advice
from unmoor.artifacts.belief import require_vouched
from unmoor.artifacts.files import signature_beside
from unmoor.artifacts.manifest import LIMIT, Manifest
from unmoor.artifacts.merge import merge_proofs
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.errors import Conflict, Incomplete
from unmoor.filesystem.files import read_regular
from unmoor.images import image_names, image_record
from unmoor.images.image_record import ImageRecord
from unmoor.products import Image, Images, Proof
from unmoor.util.text import clean


def archives(legs: Sequence[Path]) -> tuple[Path, ...]:
    """Return the paths of the archives in legs."""
    return tuple(image_record.images_archive(RunFolder(leg)) for leg in legs)


def join(folder: RunFolder, legs: Sequence[Path]) -> None:
    """Record in a run folder what its legs built and proved, in addition to what it holds.

    Raises `Refused` if nothing vouches for a leg's record, `Incomplete` if a leg lacks its record, its archive or its
    proof, or if the files of the release are missing; `Conflict` if a leg was built from other files, or has another
    image for the same platform.
    """
    manifest = folder.read_known()
    if manifest is None:
        raise Incomplete(
            "the files of this release are missing: images count only together with the wheels that they contain",
            where=str(folder.path),
            next_step=advice.PASS_FILES(),
            retryable=False,
        )
    recorded = [(leg, _record_of(leg, manifest, folder)) for leg in legs]
    own = image_record.read_record(folder)
    if own is not None and _is_of(own, manifest):
        recorded.insert(0, (folder.path, own))
    images = _merge_images(recorded)
    proof = _proof(folder, images, [(leg, record) for leg, record in recorded if leg != folder.path])
    image_record.write_build_record(folder, manifest.commit, manifest.wheels, Images(images=images))
    folder.write_proof(proof)


def _record_of(leg: Path, manifest: Manifest, folder: RunFolder) -> ImageRecord:
    """Read what one leg built. Raises `Refused`, `Incomplete`, `Conflict`, `Unknown`."""
    try:
        data = read_regular(leg / IMAGES, LIMIT)
    except FileNotFoundError as error:
        raise Incomplete(
            f"there is no {IMAGES}", where=str(leg), next_step=advice.BUILD_LEG_THERE(), retryable=False
        ) from error
    require_vouched(folder.belief, data, where=str(leg / IMAGES), signature=signature_beside(leg / IMAGES))
    record = image_record.decode(data, where=str(leg / IMAGES))
    if not image_record.images_archive(RunFolder(leg)).is_file():
        raise Incomplete(
            f"there is no {image_record.images_archive(RunFolder(leg)).name}",
            where=str(leg),
            next_step=advice.BUILD_LEG_THERE(),
            retryable=False,
        )
    if record.commit != manifest.commit:
        what = f"it was built from commit {clean(record.commit, 40)}, but this release is {manifest.commit}"
    elif not _is_of(record, manifest):
        what = "it was built with wheels that are not those of this release"
    else:
        return record
    raise Conflict(what, where=str(leg), next_step=advice.BUILD_LEG_AGAIN())


def _is_of(record: ImageRecord, manifest: Manifest) -> bool:
    return record.commit == manifest.commit and frozenset(record.wheels) == frozenset(manifest.wheels)


def _merge_images(recorded: Sequence[tuple[Path, ImageRecord]]) -> tuple[Image, ...]:
    """Return every image once. Raises `Conflict` if two machines built the same one differently."""
    merged: dict[tuple[str, str, str], tuple[Path, Image]] = {}
    for leg, record in recorded:
        for image in record.images:
            first, same = merged.setdefault((image.name, image.target, image.platform), (leg, image))
            if same != image:
                what = f"{clean(image.target or image.name)} for {clean(image.platform)}"
                raise Conflict(
                    f"{what} is {clean(same.id, 80)} in {first}, and {clean(image.id, 80)} in {leg}",
                    next_step=advice.ONE_LEG_PER_PLATFORM(),
                )
    return tuple(image for _, image in merged.values())


def _proof(folder: RunFolder, images: Sequence[Image], legs: Sequence[tuple[Path, ImageRecord]]) -> Proof:
    """Merge the proofs of the legs and of this machine into one. Raises `Incomplete`."""
    here = folder.read_proof(image_record.PROOF)
    if here is not None and not frozenset(here.subjects) <= frozenset(map(image_names.subject_of, images)):
        here = None  # it proves images of another build
    (proof,) = merge_proofs([*([here] if here else []), *_proofs(legs)])
    return proof


def _proofs(legs: Sequence[tuple[Path, ImageRecord]]) -> Iterator[Proof]:
    for leg, record in legs:
        proof = record.proof()
        proven = frozenset(proof.subjects) if proof else frozenset()
        if proof is None or proven != frozenset(map(image_names.subject_of, record.images)):
            raise Incomplete(
                "its images were not proven where they were built",
                where=str(leg),
                next_step=advice.BUILD_LEG_THERE(),
                retryable=False,
            )
        yield proof
