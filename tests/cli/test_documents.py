"""What a run hands to later jobs: complete documents, and the sha256 of each under its own name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support import sample_values

from unmoor.advice import NextStep
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import documents
from unmoor.cli.output import outputs
from unmoor.core.events import Report, StageInfo, StageReport
from unmoor.core.outcome import Failed, Made, Outcome, Skipped
from unmoor.core.stage import Reach
from unmoor.errors import CheckFailed
from unmoor.filesystem.files import sha256_of
from unmoor.images import image_names
from unmoor.products import Dists, File, Image, Images, Proof, Subject
from unmoor.util.values import replace

RELEASE = sample_values.sample_release()
WHEEL = File(name="small_one-1.0-py3-none-any.whl", sha256="1" * 64, size=1, path=Path("x"))
DISTS = Dists(files=(WHEEL,))
PROOF = Proof(name="prove-dists", subjects=(Subject(name=WHEEL.name, sha256=WHEEL.sha256),), results=())
IMAGE = Image(name="ghcr.io/o/n", target="", platform="linux/amd64", id="sha256:" + "2" * 64, size=1)
IMAGE_PROOF = Proof(name="prove-images", subjects=(image_names.subject_of(IMAGE),), results=())
STAGED = Proof(name="prove-testpypi", subjects=PROOF.subjects, results=())
FAILED = Failed(CheckFailed("no", next_step=NextStep("x")))


def report(**outcomes: Outcome | None) -> Report:
    """The report of a run, by the outcome of each stage."""
    stages = {name.replace("_", "-"): outcome for name, outcome in outcomes.items()}
    return Report(
        stages=tuple(
            StageReport(
                info=StageInfo(name=name, reach=Reach.LOCAL, advisory=False), outcome=outcome, seconds=0.0, plan=""
            )
            for name, outcome in {"tag": Made(RELEASE), **stages}.items()
        ),
        warnings=(),
        seconds=0.0,
    )


@pytest.mark.parametrize(
    ("outcomes", "written"),
    [
        ({"dists": FAILED}, []),
        ({"dists": Made(DISTS)}, ["manifest.json"]),
        ({"dists": Made(DISTS), "prove_dists": None}, ["manifest.json"]),
        ({"dists": Made(DISTS), "prove_dists": FAILED}, []),
        ({"dists": Made(DISTS), "prove_dists": Skipped("stopped")}, []),
        ({"dists": Made(DISTS), "prove_dists": Made(PROOF)}, ["prove-dists.json", "manifest.json"]),
        ({"dists": Made(Dists(files=(WHEEL,), vouched=False)), "prove_dists": Made(PROOF)}, []),
        (
            {"dists": Made(DISTS), "prove_dists": Made(PROOF), "images": Made(Images(images=(IMAGE,)))},
            ["prove-dists.json", "manifest.json"],
        ),
        (
            {
                "dists": Made(DISTS),
                "prove_dists": Made(PROOF),
                "images": Made(Images(images=(IMAGE,))),
                "prove_images": Made(IMAGE_PROOF),
            },
            ["prove-dists.json", "images.json", "manifest.json"],
        ),
    ],
    ids=["nothing", "files", "not asked", "failed", "stopped", "proven", "not vouched", "images", "proven images"],
)
def test_what_is_written(tmp_path: Path, outcomes: dict[str, Outcome | None], written: list[str]) -> None:
    """Only documents of files and images that passed are written; the manifest is named last."""
    folder = RunFolder(tmp_path / "v1.0")
    digests = documents.write(report(**outcomes), folder)
    assert list(digests) == written
    paths = {path.name: path for path in (*folder.path.glob("*.json"), *folder.path.glob("proofs/*.json"))}
    assert digests == {name: sha256_of(path) for name, path in paths.items()}
    assert folder.unvouched() == ()
    if "images.json" in written:
        record = json.loads((folder.path / "images.json").read_text())
        assert record["manifest"] == digests["manifest.json"]


@pytest.mark.parametrize("leg", ["", "arm64"])
def test_the_step_outputs(tmp_path: Path, leg: str) -> None:
    """Each document has an output of its own; each leg of a matrix has outputs of its own."""
    folder = RunFolder(tmp_path / "v1.0")
    folder.write_proof(STAGED)
    ended = report(
        dists=Made(DISTS),
        prove_dists=Made(PROOF),
        images=Made(Images(images=(IMAGE,))),
        prove_images=Made(IMAGE_PROOF),
        prove_testpypi=Made(STAGED),
    )
    digests = documents.write(ended, folder)
    assert list(digests) == ["prove-dists.json", "prove-testpypi.json", "images.json", "manifest.json"]
    values = outputs(replace(ended, documents=digests), leg_name=leg)
    suffix = f"-{leg}" if leg else ""
    names = ("prove-testpypi-sha256", "images-sha256", "manifest-sha256")
    assert {name: values[f"{name}{suffix}"] for name in names} == {
        "prove-testpypi-sha256": sha256_of(folder.path / "proofs" / "prove-testpypi.json"),
        "images-sha256": digests["images.json"],
        "manifest-sha256": digests["manifest.json"],
    }
    assert all(name.endswith(suffix) for name in values)


def test_each_proof_can_be_handed_over_alone(tmp_path: Path) -> None:
    """A proof has a digest of its own; one of the files becomes a document if it came with a manifest."""
    folder = RunFolder(tmp_path / "v1.0")
    ended = report(dists=Made(DISTS), prove_dists=Made(PROOF), prove_testpypi=Made(STAGED))
    digests = documents.write(ended, folder)
    assert list(digests) == ["prove-dists.json", "manifest.json"]
    values = outputs(replace(ended, documents=digests))
    assert values["prove-dists-sha256"] == sha256_of(folder.path / "proofs" / "prove-dists.json")
    assert "prove-testpypi-sha256" not in values
