"""Legs of other machines are merged by their records, or refused as a whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import sample_values
from tests.support.systems import posix

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import BUILT_IMAGES, IMAGES, RunFolder
from unmoor.errors import Conflict, Incomplete, Refused, Unknown, UnmoorError
from unmoor.images import image_names, image_record, legs
from unmoor.images.image_record import ImageRecord
from unmoor.products import Dists, Image, Images, Proof, Result, Subject, Verdict
from unmoor.util.values import replace

RELEASE = sample_values.sample_release()
WHEEL = "small_one-1.0-py3-none-any.whl"
PLATFORMS = ("linux/amd64", "linux/arm64")


def image(platform: str, digit: str = "") -> Image:
    """Return an image for a platform; ``digit`` makes its digest."""
    return Image(name="ghcr.io/o/n", target="", platform=platform, id=f"sha256:{(digit or platform[-1]) * 64}", size=1)


def proof_of(*images: Image) -> Proof:
    """Return the proof of some images."""
    return Proof(
        name="prove-images",
        subjects=tuple(map(image_names.subject_of, images)),
        results=tuple(Result(name=f"{each.platform}: labels", verdict=Verdict.PASSED, detail="") for each in images),
    )


def record_of(built: Image, commit: str, wheels: tuple[Subject, ...], *proofs: Proof) -> ImageRecord:
    """The record of another machine that built one image."""
    return ImageRecord(commit=commit, wheels=wheels, images=(built,), proofs=proofs)


@pytest.fixture
def here(tmp_path: Path) -> RunFolder:
    """A run folder with one wheel and its manifest."""
    folder = RunFolder(tmp_path / ".unmoor" / "v1.0")
    folder.dists.mkdir(parents=True)
    (folder.dists / WHEEL).write_bytes(b"wheel")
    folder.write_manifest(Manifest.of(RELEASE, Dists(files=(describe_file(folder.dists / WHEEL),))))
    return folder


@pytest.fixture
def leg(tmp_path: Path, here: RunFolder) -> Callable[..., Path]:
    """Make the folder of another machine that built and proved an image."""
    wheel = describe_file(here.dists / WHEEL)
    wheels = (Subject(name=wheel.name, sha256=wheel.sha256),)

    def made(built: Image, *, commit: str = RELEASE.commit, wheels: tuple[Subject, ...] = wheels) -> Path:
        path = tmp_path / "legs" / built.platform.replace("/", "-") / built.id[-3:]
        folder = RunFolder(path, here.belief)
        folder.write_document(IMAGES, image_record.encode(record_of(built, commit, wheels, proof_of(built))))
        image_record.images_archive(folder).write_bytes(b"archive")
        return path

    return made


def test_joined(here: RunFolder, leg: Callable[..., Path]) -> None:
    """The run folder gets every leg's images and proofs; a second merge changes nothing."""
    images = [image(platform) for platform in PLATFORMS]
    paths = [leg(each) for each in images]
    records = []
    for _ in range(2):
        legs.join(here, paths)
        record = image_record.read_record(here)
        assert record is not None
        assert set(record.images) == set(images)
        assert list(image_record.proofs(here)) == [proof_of(*images)]
        records.append((here.path / BUILT_IMAGES).read_bytes())
    assert records[0] == records[1]
    assert legs.archives(paths) == tuple(path / "images.tar" for path in paths)


def test_images_built_here_stay(here: RunFolder, leg: Callable[..., Path]) -> None:
    """This machine's image and proof are kept with the leg's; a proof of images that are gone is dropped."""
    own, other = image("linux/amd64"), image("linux/arm64")
    wheels = tuple(Subject(name=a.name, sha256=a.sha256) for a in Manifest.of(RELEASE, _dists(here)).artifacts)
    image_record.write_build_record(here, RELEASE.commit, wheels, Images(images=(own,)))
    here.write_proof(proof_of(own))
    legs.join(here, [leg(other)])
    record = image_record.read_record(here)
    assert record is not None
    assert record.images == (own, other)
    assert here.read_proof("prove-images") == proof_of(own, other)
    here.write_proof(proof_of(image("linux/386")))
    legs.join(here, [leg(other)])
    assert here.read_proof("prove-images") == proof_of(other)


def _dists(folder: RunFolder) -> Dists:
    return Dists(files=(describe_file(folder.dists / WHEEL),))


def spoilt(path: Path, how: str, belief: Belief) -> None:
    """Break a leg so that it cannot be merged."""
    folder = RunFolder(path, belief)
    record = image_record.read_record(folder)
    assert record is not None
    match how:
        case "record":
            folder.write_document(IMAGES, b"{}")
        case "unvouched":
            (path / IMAGES).write_bytes(image_record.encode(replace(record, manifest="5" * 64)))
        case "record-pipe":
            (path / IMAGES).unlink()
            if sys.platform != "win32":
                os.mkfifo(path / IMAGES)
        case "record-huge":
            os.truncate(path / IMAGES, 1 << 40)
        case "archive":
            image_record.images_archive(folder).unlink()
        case "proof":
            folder.write_document(IMAGES, image_record.encode(replace(record, proofs=())))
        case "loose-proof":
            folder.write_document(IMAGES, image_record.encode(replace(record, proofs=())))
            folder.write_proof(proof_of(*record.images))
        case "proof-of-another-stage":
            other = replace(proof_of(*record.images), name="prove-dists")
            folder.write_document(IMAGES, image_record.encode(replace(record, proofs=(other,))))
        case _:
            other = proof_of(image("linux/386"))
            folder.write_document(IMAGES, image_record.encode(replace(record, proofs=(other,))))


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("record", Unknown, "this is not a record of images"),
        ("unvouched", Refused, "nothing vouches for this document"),
        pytest.param("record-pipe", Incomplete, "there is no images.json", marks=posix),
        ("record-huge", Refused, "nothing vouches for this document"),
        ("archive", Incomplete, "there is no images.tar"),
        ("proof", Incomplete, "its images were not proven where they were built"),
        ("loose-proof", Incomplete, "its images were not proven where they were built"),
        ("other-proof", Incomplete, "its images were not proven where they were built"),
        ("proof-of-another-stage", Incomplete, "its images were not proven where they were built"),
        ("commit", Conflict, "it was built from commit bbbb"),
        ("wheels", Conflict, "it was built with wheels that are not those of this release"),
        ("twice", Conflict, "for linux/arm64 is sha256:4444"),
        ("no-manifest", Incomplete, "the files of this release are missing"),
    ],
)
def test_a_broken_leg_is_refused(
    here: RunFolder, leg: Callable[..., Path], how: str, kind: type[UnmoorError], words: str
) -> None:
    """The error names the leg and the next step, and nothing is written."""
    built = image("linux/arm64")
    paths = [leg(built)]
    if how == "commit":
        paths = [leg(built, commit="b" * 40)]
    elif how == "wheels":
        paths = [leg(built, wheels=(Subject(name=WHEEL, sha256="0" * 64),))]
    elif how == "twice":
        paths.append(leg(replace(built, id=f"sha256:{'9' * 64}")))
    elif how == "no-manifest":
        here.manifest.unlink()
    else:
        spoilt(paths[0], how, here.belief)
    before = {path: path.read_bytes() for path in here.path.rglob("*") if path.is_file()}
    with pytest.raises(kind) as caught:
        legs.join(here, paths)
    assert words in str(caught.value)
    assert caught.value.next_step
    assert {path: path.read_bytes() for path in here.path.rglob("*") if path.is_file()} == before
