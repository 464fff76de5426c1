"""Legs of other machines are merged by their records, or refused as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import sample_values

from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Incomplete, UnmoorError
from unmoor.images import image_names, legs
from unmoor.products import Dists, Image, Images, Proof, Result, Subject, Verdict

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
        folder = RunFolder(path)
        image_names.write_record(folder, commit, wheels, Images(images=(built,)))
        folder.write_proof(proof_of(built))
        image_names.images_archive(folder).write_bytes(b"archive")
        return path

    return made


def test_joined(here: RunFolder, leg: Callable[..., Path]) -> None:
    """The run folder and manifest get every leg's images and proofs; a second merge changes nothing."""
    images = [image(platform) for platform in PLATFORMS]
    paths = [leg(each) for each in images]
    records = []
    for _ in range(2):
        legs.join(here, paths)
        record, manifest = image_names.read_record(here), here.read_manifest()
        assert record is not None
        assert manifest is not None
        assert set(record.images) == set(images)
        assert here.read_proof("prove-images") == manifest.proof("prove-images") == proof_of(*images)
        records.append((here.path / image_names.RECORD).read_bytes())
    assert records[0] == records[1]
    assert legs.archives(paths) == tuple(path / "images.tar" for path in paths)


def test_images_built_here_stay(here: RunFolder, leg: Callable[..., Path]) -> None:
    """This machine's image and proof are kept with the leg's; a proof of images that are gone is dropped."""
    own, other = image("linux/amd64"), image("linux/arm64")
    wheels = tuple(Subject(name=a.name, sha256=a.sha256) for a in Manifest.of(RELEASE, _dists(here)).artifacts)
    image_names.write_record(here, RELEASE.commit, wheels, Images(images=(own,)))
    here.add_proof(proof_of(own))
    legs.join(here, [leg(other)])
    record = image_names.read_record(here)
    assert record is not None
    assert record.images == (own, other)
    assert here.read_proof("prove-images") == proof_of(own, other)
    here.add_proof(proof_of(image("linux/386")))
    legs.join(here, [leg(other)])
    assert here.read_proof("prove-images") == proof_of(other)


def _dists(folder: RunFolder) -> Dists:
    return Dists(files=(describe_file(folder.dists / WHEEL),))


def spoilt(path: Path, how: str) -> None:
    """Break a leg so that it cannot be merged."""
    folder = RunFolder(path)
    if how == "record":
        (path / image_names.RECORD).write_text("{}")
    elif how == "record-pipe":
        (path / image_names.RECORD).unlink()
        os.mkfifo(path / image_names.RECORD)
    elif how == "record-huge":
        os.truncate(path / image_names.RECORD, 1 << 40)
    elif how == "archive":
        image_names.images_archive(folder).unlink()
    elif how == "proof":
        (path / "proofs" / "prove-images.json").unlink()
    elif how == "proof-of-another-stage":
        kept = path / "proofs" / "prove-images.json"
        kept.write_text(kept.read_text().replace('"prove-images"', '"prove-dists"'))
    else:
        folder.write_proof(proof_of(image("linux/386")))


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("record", Incomplete, "there is no readable images.json"),
        ("record-pipe", Incomplete, "there is no readable images.json"),
        ("record-huge", Incomplete, "there is no readable images.json"),
        ("archive", Incomplete, "there is no images.tar"),
        ("proof", Incomplete, "its images were not proven where they were built"),
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
        spoilt(paths[0], how)
    before = {path: path.read_bytes() for path in here.path.rglob("*") if path.is_file()}
    with pytest.raises(kind) as caught:
        legs.join(here, paths)
    assert words in str(caught.value)
    assert caught.value.next_step
    assert {path: path.read_bytes() for path in here.path.rglob("*") if path.is_file()} == before
