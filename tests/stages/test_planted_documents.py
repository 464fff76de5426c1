"""Records and proofs that somebody put into a run folder count only with the digest that their maker printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from tests.stages.conftest import StageInputs
from tests.stages.test_images import DISTS, NAME, FakeRegistry, manifest_of, with_dockerfile
from tests.stages.test_images import stage as images_stage
from tests.stages.test_prove_dists import stage as proving_stage

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.run_dir import BUILT_IMAGES, IMAGES, RunFolder
from unmoor.core.stage import Output
from unmoor.filesystem.files import sha256_of
from unmoor.images import image_names, image_record
from unmoor.images.image_record import ImageRecord, wheel_subjects
from unmoor.ports.registry import Registry
from unmoor.products import Image, Images, Proof, Result, Subject, Verdict
from unmoor.stages.prove_images import ProveImages
from unmoor.stages.prove_testpypi import ProveStaged
from unmoor.util.values import replace

MakeInputs = Callable[..., StageInputs]
EVIL = Image(name=NAME, target="", platform="linux/amd64", id="sha256:" + "6" * 64, size=1)
GIVEN = ["none", "wrong", "right"]


def believing(at: StageInputs, planted: Path, given: str) -> RunFolder:
    """The run folder as a run sees it that was given a digest."""
    digests = {"none": (), "wrong": ("0" * 64,), "right": (sha256_of(planted),)}[given]
    return RunFolder(at.folder.path, Belief(given=frozenset(digests), notebook=at.folder.belief.notebook))


def put(path: Path, data: bytes) -> Path:
    """Write a file as anyone who can write there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", [IMAGES, BUILT_IMAGES])
def test_a_planted_image_record(make_inputs: MakeInputs, name: str, given: str) -> None:
    """An image that somebody pushed under the commit's tag is not ours because a record in the folder says so."""
    at = make_inputs(with_dockerfile())
    dists = at.dists()
    record = ImageRecord(commit=at.release.commit, wheels=wheel_subjects(dists), images=(EVIL,))
    planted = put(at.folder.path / name, image_record.encode(record))
    pushed = FakeRegistry({image_names.commit_tag(at.release): manifest_of(EVIL.id)})
    stage = images_stage(at, registries=(cast("Registry", pushed),))
    found = replace(stage, folder=believing(at, planted, given)).find(at.context(dists=dists))
    assert found == (Images(images=(EVIL,)) if given == "right" else None)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("stage", ["prove-dists", "prove-testpypi", "prove-images"])
def test_a_loose_proof(make_inputs: MakeInputs, stage: str, given: str) -> None:
    """A proof beside a good manifest says nothing; with its digest it counts for exactly its subjects."""
    at = make_inputs()
    dists = at.dists()
    images = Images(images=(EVIL,))
    subjects = tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)
    subjects = (image_names.subject_of(EVIL),) if stage == "prove-images" else subjects
    results = tuple(Result(name=f"{each.name}: imports", verdict=Verdict.PASSED) for each in subjects)
    proof = Proof(name=stage, subjects=subjects, results=results)
    planted = put(at.folder.path / "proofs" / f"{stage}.json", msgspec.json.encode(proof))
    folder = believing(at, planted, given)
    built: dict[str, Any] = {
        "prove-dists": proving_stage(at, folder=folder),
        "prove-testpypi": _prove_staged(at, folder),
        "prove-images": _prove_images(folder),
    }
    found = built[stage].find(at.context(dists=dists, images=images))
    assert found == (proof if given == "right" else None)


@pytest.mark.parametrize("more", ["another file", "other bytes"])
def test_a_proof_adds_no_file(make_inputs: MakeInputs, more: str) -> None:
    """A proof that was vouched for does not count if it speaks of any other digest than those of the files."""
    at = make_inputs()
    dists = at.dists()
    subjects = [Subject(name=file.name, sha256=file.sha256) for file in dists.files]
    if more == "another file":
        subjects.append(Subject(name="small_one-1.0-py2-none-any.whl", sha256="6" * 64))
    else:
        subjects[0] = Subject(name=subjects[0].name, sha256="6" * 64)
    results = tuple(Result(name=f"{each.name}: imports", verdict=Verdict.PASSED) for each in subjects)
    proof = Proof(name="prove-dists", subjects=tuple(subjects), results=results)
    planted = put(at.folder.path / "proofs" / "prove-dists.json", msgspec.json.encode(proof))
    assert proving_stage(at, folder=believing(at, planted, "right")).find(at.context(dists=dists)) is None


def _prove_images(folder: RunFolder) -> ProveImages:
    return ProveImages(
        release=Output("tag"),
        images=Output("images"),
        engine=cast("Any", None),
        folder=folder,
        settings=(),
        repository="acme/demo",
    )


def _prove_staged(at: StageInputs, folder: RunFolder) -> ProveStaged:
    return ProveStaged(
        release=Output("tag"),
        dists=DISTS,
        uploaded=Output("testpypi"),
        index=cast("Any", None),
        environments=at.uv,
        folder=folder,
        clock=at.clock,
    )
