"""The written release workflow, run by act: whole, with a failure of every job, with less permissions, hostile.

What a run did is read from the surfaces, never from act's exit code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.act import Event, Fault, Run
from tests.support.act_release import PUSH, TAG, ActRelease, Surfaces, release_text, start_act_release
from tests.support.hostile import hostile_files
from tests.support.systems import linux

pytestmark = [linux, pytest.mark.journey, pytest.mark.timeout(500)]

JOBS = ("build", "test", "hold", "prove", "publish", "verify")
"""The jobs of a project with one wheel, in the order of their needs."""
CHAOS = bool(os.environ.get("CHAOS"))
FAULTS = {name: (False, True) if CHAOS else (name in {"test", "hold", "publish"},) for name in JOBS}
"""Where each job fails: after its last step (true), or before its first one. `make chaos` tries both."""


@dataclass(frozen=True)
class Whole:
    """A release without a fault, and what it left."""

    release: ActRelease
    run: Run
    left: Surfaces


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A whole release that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    with start_act_release(folder, {"release.yml": release_text()}, installs=True) as release:
        run = release.runs.run(PUSH)
        yield Whole(release, run, release.surfaces())


def built(release: ActRelease, artifact: str = "built") -> dict[str, str]:
    """Return the sha256 of the wheel and the sdist in an artifact."""
    found = [each for each in (release.runs.artifacts / artifact / TAG / "dists").iterdir() if each.is_file()]
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in found}


def check_released(release: ActRelease, files: dict[str, str]) -> None:
    """Check that every surface has these files, each sent to each index once and attested, and no draft is left."""
    left = release.surfaces()
    assert (left.testpypi, left.pypi, left.draft) == (files, files, {})
    assert left.public == {**left.public, **files}
    places = {("pypi", name) for name in files} | {("testpypi", name) for name in files} | {("forge", n) for n in files}
    assert places <= left.attested
    sent = [(each["server"], each["file"]) for each in release.requests() if each.get("outcome") == "stored"]
    assert sorted(each for each in sent if each[0] != "forge") == sorted(each for each in places if each[0] != "forge")


def test_a_pushed_tag_is_released(whole: Whole) -> None:
    """Every surface has the bytes that the job `build` made."""
    assert whole.run.ended == dict.fromkeys(JOBS, True), whole.run.words()
    check_released(whole.release, built(whole.release))


def test_a_dispatch_on_the_tag_repeats_the_release(whole: Whole) -> None:
    """A whole run of a released tag finds everything there, and changes nothing."""
    before = whole.release.writes()
    run = whole.release.runs.run(Event(name="workflow_dispatch", ref=PUSH.ref))
    assert run.ended == dict.fromkeys(JOBS, True), run.words()
    assert whole.release.surfaces() == whole.left
    assert whole.release.writes() == before


def test_a_dispatch_on_a_branch_does_nothing(whole: Whole) -> None:
    """A run that is not on a tag skips every job."""
    before = len(whole.release.requests())
    run = whole.release.runs.run(Event(name="workflow_dispatch", ref="refs/heads/main"))
    assert run.ended == {}, run.words()
    assert len(whole.release.requests()) == before


def test_every_job_fails_and_runs_again(tmp_path: Path, whole: Whole) -> None:
    """Each job fails, before its first step or after its last one; alone, it goes on where it stopped.

    The release is that of a run without a fault. The files are those of the build that passed.
    """
    with start_act_release(tmp_path, {"release.yml": release_text()}) as release:
        run: Run | None = None
        files: dict[str, str] = {}
        for name in JOBS:
            for last in FAULTS[name]:
                run = release.runs.run(PUSH, before=run, fault=Fault(job=name, last=last))
                assert (set(run.ended), run.ended[name]) == ({*JOBS[: JOBS.index(name) + 1]}, False), run.words()
            files = files or (built(release) if name != "build" else {})
            left = release.surfaces()
            assert name in {"publish", "verify"} or (left.pypi, left.public) == ({}, {})
        run = release.runs.run(PUSH, before=run)
        assert run.ended == dict.fromkeys(JOBS, True), run.words()
        check_released(release, files)
        assert release.surfaces().stable == whole.left.stable


@dataclass(frozen=True)
class Lack:
    """A permission that a job lacks, and what the job writes about it. It passes if it only warns."""

    job: str
    scope: str
    words: str
    passes: bool = False


LACKS = [
    Lack("hold", "contents", "contents: write"),
    *([Lack("hold", "id-token", "id-token: write")] if CHAOS else []),
    Lack("hold", "attestations", "attestations: write", passes=True),
    *([Lack("publish", "contents", "contents: write")] if CHAOS else []),
    Lack("publish", "id-token", "id-token: write"),
]
"""`make chaos` tries each, the usual run each permission once."""
SWAPPED = {"hold": ("built", "proofs") if CHAOS else ("proofs",), "publish": ("staged-proof",)}
"""The artifacts that a job takes over and that are nowhere else. What was held is on the draft, too."""


def swap(artifact: Path) -> None:
    """Change every file of an artifact a little, as a job could that has the run's token for artifacts."""
    for each in artifact.rglob("*"):
        if each.is_file():
            each.write_bytes(each.read_bytes().replace(b'"', b' "', 1) + b" ")


def test_what_a_job_lacks(tmp_path: Path) -> None:
    """A job without a permission, or with other files than those that were made, says so and publishes nothing.

    With everything, it goes on. If the held files are others, those of the draft are taken, which have the digests.
    """
    with start_act_release(tmp_path, {"release.yml": release_text()}) as release:
        run = None
        for job, artifacts in SWAPPED.items():
            run = release.runs.run(PUSH, before=run, fault=Fault(job=job))
            assert run.ended[JOBS[JOBS.index(job) - 1]], run.words()
            for artifact in artifacts:
                kept = tmp_path / artifact
                shutil.copytree(release.runs.artifacts / artifact, kept)
                swap(release.runs.artifacts / artifact)
                check_stopped(release, release.runs.run(PUSH, before=run), job, "sha256")
                shutil.rmtree(release.runs.artifacts / artifact)
                shutil.copytree(kept, release.runs.artifacts / artifact)
            for lack in (each for each in LACKS if each.job == job):
                release.runs.robbed = frozenset({(job, lack.scope)})
                tried = release.runs.run(PUSH, before=run, fault=Fault(job="publish") if lack.passes else None)
                release.runs.robbed = frozenset()
                check_stopped(release, tried, "publish" if lack.passes else job, lack.words, writer=job)
        swap(release.runs.artifacts / "held")
        run = release.runs.run(PUSH, before=run)
        assert run.ended == dict.fromkeys(JOBS, True), run.words()
        check_released(release, built(release))


def check_stopped(release: ActRelease, run: Run, job: str, words: str, *, writer: str = "") -> None:
    """Check that a run ended at a job, that it says why, and that nothing is public."""
    assert (list(run.ended)[-1], run.ended[job]) == (job, False), run.words()
    assert words in run.words(writer or job)
    assert "Traceback" not in run.words(job)
    left = release.surfaces()
    assert (left.pypi, left.public) == ({}, {})


def test_a_hostile_project(tmp_path: Path) -> None:
    """Build, tests and package run only in jobs without a credential; the surfaces get the bytes that were built."""
    loot = tmp_path / "loot"
    loot.mkdir()
    with start_act_release(tmp_path, {"release.yml": release_text()}, hostile_files(loot)) as release:
        run = release.runs.run(PUSH)
        assert run.ended == dict.fromkeys(JOBS, True), run.words()
        check_released(release, built(release))
        (loot / "bin").rename(tmp_path / "bin")
        assert {each.name for each in tmp_path.glob("changed-*")} == {"changed-test"}
        found = {each: each.read_bytes() for each in loot.iterdir()}
        assert {each.name.partition("-")[0] for each in found} - {"ran"} == {"build", "test", "prove"}
        kept = [*run.secrets, *json.loads((release.world.folder / "credentials.json").read_text()).values()]
        # It did look around: what it read names the job, and the world that the job cannot write to.
        assert all(b"UNMOOR_WORLD=" in data for each, data in found.items() if each.name != "ran")
        assert not [(each, token) for each, data in found.items() for token in kept if token.encode() in data]
