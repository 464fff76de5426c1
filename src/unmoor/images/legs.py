"""Legs: images that other machines built come together in one run's folder, by what each machine wrote down.

A leg is the folder ``.unmoor/<tag>`` of a run that built some of the platforms, proved them there and
kept them. What it says counts only where it is of the same commit and of the same wheels; the archives
stay where they are, and each image in them is still judged by its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import merge_proofs
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Incomplete
from unmoor.images import image_names
from unmoor.images.image_names import BuildRecord
from unmoor.products import Image, Images, Proof
from unmoor.util.text import clean

_PROOF = "prove-images"
_HOW = "run there: unmoor release --dry-run --until prove-images --platform PLATFORM --keep-images TAG"


def archives(legs: Sequence[Path]) -> tuple[Path, ...]:
    """Where the images of legs lie."""
    return tuple(image_names.kept(RunFolder(leg)) for leg in legs)


def join(folder: RunFolder, legs: Sequence[Path]) -> None:
    """Write down in a run's folder what its legs built and proved, beside what is there.

    Raises `Incomplete` where a leg lacks its record, its archive or its proof, or where the files of
    the release are not here; `Conflict` for a leg of other files, or another image for one platform.
    """
    manifest = folder.read_manifest()
    if manifest is None:
        raise Incomplete(
            "the files of this release are not here: images count only with the wheels that lie in them",
            where=str(folder.path),
            next_step="hand over those files, too: --dists DIR",
            retryable=False,
        )
    recorded = [(leg, _record_of(leg, manifest)) for leg in legs]
    own = image_names.read_record(folder)
    if own is not None and _is_of(own, manifest):
        recorded.insert(0, (folder.path, own))
    images = _united(recorded)
    proof = _proof(folder, images, [(leg, record.images) for leg, record in recorded if leg != folder.path])
    image_names.write_record(folder, manifest.commit, manifest.wheels, Images(images=images))
    folder.add_proof(proof)


def _record_of(leg: Path, manifest: Manifest) -> BuildRecord:
    """What one leg built. Raises `Incomplete`, `Conflict`."""
    record = image_names.read_record(RunFolder(leg))
    if record is None:
        raise Incomplete(
            f"there is no {image_names.RECORD} that can be read", where=str(leg), next_step=_HOW, retryable=False
        )
    if not image_names.kept(RunFolder(leg)).is_file():
        raise Incomplete(
            f"there is no {image_names.kept(RunFolder(leg)).name}", where=str(leg), next_step=_HOW, retryable=False
        )
    if record.commit != manifest.commit:
        what = f"it was built of commit {clean(record.commit, 40)}, and this release is {manifest.commit}"
    elif not _is_of(record, manifest):
        what = "it was built with other wheels than those of this release"
    else:
        return record
    raise Conflict(what, where=str(leg), next_step="build the leg again from the same files: --dists DIR")


def _is_of(record: BuildRecord, manifest: Manifest) -> bool:
    return record.commit == manifest.commit and frozenset(record.wheels) == frozenset(manifest.wheels)


def _united(recorded: Sequence[tuple[Path, BuildRecord]]) -> tuple[Image, ...]:
    """Every image once. Raises `Conflict` where two machines built the same one differently."""
    seen: dict[tuple[str, str, str], tuple[Path, Image]] = {}
    for leg, record in recorded:
        for image in record.images:
            first, same = seen.setdefault((image.name, image.target, image.platform), (leg, image))
            if same != image:
                what = f"{clean(image.target or image.name)} for {clean(image.platform)}"
                raise Conflict(
                    f"{what} is {clean(same.id, 80)} in {first}, and {clean(image.id, 80)} in {leg}",
                    next_step="hand over one leg for each platform",
                )
    return tuple(image for _, image in seen.values())


def _proof(folder: RunFolder, images: Sequence[Image], legs: Sequence[tuple[Path, Sequence[Image]]]) -> Proof:
    """One proof of all that the legs proved, and of what was proven here. Raises `Incomplete`."""
    here = folder.read_proof(_PROOF)
    if here is not None and not frozenset(here.subjects) <= frozenset(map(image_names.subject_of, images)):
        here = None  # of images that are none of these
    (proof,) = merge_proofs([*([here] if here else []), *_proofs(legs)])
    return proof


def _proofs(legs: Sequence[tuple[Path, Sequence[Image]]]) -> Iterator[Proof]:
    for leg, images in legs:
        proof = RunFolder(leg).read_proof(_PROOF)
        proven = frozenset(proof.subjects) if proof else frozenset()
        if proof is None or not proven.issuperset(map(image_names.subject_of, images)):
            raise Incomplete(
                "its images were not proven where they were built", where=str(leg), next_step=_HOW, retryable=False
            )
        yield proof
