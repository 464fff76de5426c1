"""ci.yml: which jobs there are, what they may do, and the scripts that decide."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.support.git_repos import Repo

from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.util.values import replace
from unmoor.workflows.ci import ci_workflow
from unmoor.workflows.commands import Commands
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.yaml_text import text_of

LINT = Commands(why="a test", run=("true",))
FACTS = WorkflowFacts(
    settings=Settings(image=(ImageSettings(),)),
    project="small",
    platforms=("linux/amd64",),
    lint=LINT,
    types=LINT,
    test=replace(LINT, plugin="coverage"),
)
needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="the scripts run on Linux")


def _read(facts: WorkflowFacts) -> Any:
    return YAML(typ="safe", pure=True).load(text_of(ci_workflow(facts)))


def _script(job: str, facts: WorkflowFacts = FACTS) -> str:
    found = _read(facts)["jobs"][job]["steps"][-1]["run"]
    assert isinstance(found, str)
    return found


def _run(script: str, folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (FACTS, set()),
        (replace(FACTS, lint=None), {"lint"}),
        (replace(FACTS, types=None), {"types"}),
        (replace(FACTS, test=None), {"tests", "coverage"}),
        (replace(FACTS, coverage=0), {"coverage"}),
        (replace(FACTS, platforms=()), {"images", "push-images"}),
    ],
)
def test_jobs_follow_from_the_facts(facts: WorkflowFacts, missing: set[str]) -> None:
    """A project has no job for what it does not have, and `all-checks` needs every other job."""
    every = {"changes", "lint", "types", "tests", "coverage", "rehearse", "images", "push-images", "all-checks"}
    jobs = _read(facts)["jobs"]
    assert set(jobs) == every - missing
    assert set(jobs["all-checks"]["needs"]) == every - missing - {"all-checks"}
    named = re.findall(r"needs\.([a-z-]+)\.", text_of(ci_workflow(facts)))
    assert set(named) <= set(jobs)


@pytest.mark.parametrize(("branch", "pattern"), [("trunk", "trunk"), ("c++", r"c\+\+"), ("release/1", "release/1")])
def test_the_workflow_starts_for_every_change(branch: str, pattern: str) -> None:
    """No filter of paths, which would leave a required check pending for ever, and nothing that hands out secrets."""
    found = _read(replace(FACTS, default_branch=branch))
    assert set(found["on"]) == {"push", "pull_request", "merge_group", "workflow_dispatch"}
    assert found["on"]["push"] == {"branches": [pattern]}
    assert found["on"]["pull_request"] is None
    assert set(found["on"]["workflow_dispatch"]["inputs"]) == {"force_build", "debug"}


def test_only_newer_runs_of_a_pull_request_cancel_older_ones() -> None:
    """Every other run is alone in its group."""
    found = _read(FACTS)["concurrency"]
    assert found == {"group": "ci-${{ github.event.pull_request.number || github.run_id }}", "cancel-in-progress": True}


def test_one_job_can_write_and_only_on_the_default_branch() -> None:
    """No other job has more than read access, and no secret is named. The one that pushes runs nothing but unmoor."""
    found = _read(FACTS)
    writing = [name for name, job in found["jobs"].items() if "write" in job["permissions"].values()]
    assert writing == ["push-images"]
    job = found["jobs"]["push-images"]
    assert job["permissions"] == {"contents": "read", "packages": "write"}
    assert "github.event_name == 'push' && github.ref_name == github.event.repository.default_branch" in job["if"]
    assert {"changes", "rehearse", "tests"} <= set(job["needs"])
    assert "needs.tests.result == 'success'" in job["if"]
    assert "secrets." not in text_of(ci_workflow(FACTS))
    assert not any("cache" in str(step) or "download-artifact" in str(step) for step in job["steps"])
    scripts = [step["run"].splitlines()[-1] for step in job["steps"] if "run" in step]
    assert [each.split()[0] for each in scripts] == ["python", "unmoor"]
    assert [name for name, each in found["jobs"].items() if "--push" in str(each)] == ["push-images"]


def test_a_manual_run_can_build_images_although_tests_fail() -> None:
    """`force_build` builds them, and pushes nothing."""
    jobs = _read(FACTS)["jobs"]
    assert "inputs.force_build" in jobs["images"]["if"]
    assert "!cancelled()" in jobs["images"]["if"]
    assert "force_build" not in str(jobs["push-images"])


@pytest.mark.parametrize(("shards", "expected"), [(1, None), (3, [1, 2, 3])])
def test_tests_run_on_every_python_and_system(shards: int, expected: list[int] | None) -> None:
    """One job each, and one for each shard."""
    facts = replace(
        FACTS,
        settings=Settings(workflows=WorkflowSettings(shards=shards)),
        pythons=("3.11", "3.14"),
        systems=("linux", "windows"),
    )
    job = _read(facts)["jobs"]["tests"]
    assert job["strategy"]["matrix"]["system"] == ["ubuntu-latest", "windows-latest"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.14"]
    assert job["strategy"]["matrix"].get("shard") == expected
    assert ("shard" in job["with"]) is (expected is not None)


@needs_bash
@pytest.mark.parametrize(
    ("event", "path", "changed", "expected"),
    [
        ("pull_request", "", ["src/a.py"], ("true", "true")),
        ("pull_request", "", ["docs/a.md"], ("false", "false")),
        ("pull_request", "", ["docs/a.md", "src/a.py"], ("true", "true")),
        ("pull_request", "", ["README.md"], ("false", "true")),
        ("pull_request", "", ["LICENSE"], ("false", "true")),
        ("pull_request", "", ["requirements.txt"], ("true", "true")),
        ("pull_request", "", ["tests/data/a.md"], ("true", "true")),
        ("pull_request", "", [".github/workflows/ci.yml"], ("true", "true")),
        ("pull_request", "packages/a", ["packages/b/x.py"], ("false", "false")),
        ("pull_request", "packages/a", ["packages/ab/x.py"], ("false", "false")),
        ("pull_request", "packages/a", ["packages/a/x.py"], ("true", "true")),
        ("pull_request", "packages/a", ["packages/a/docs/x.md"], ("false", "false")),
        ("pull_request", "packages/a", ["uv.lock"], ("true", "true")),
        ("push", "", ["docs/a.md"], ("true", "true")),
        ("merge_group", "", ["docs/a.md"], ("true", "true")),
    ],
)
def test_paths_decide_which_jobs_a_pull_request_needs(
    tmp_path: Path, event: str, path: str, changed: list[str], expected: tuple[str, str]
) -> None:
    """Documents need no tests; the readme is in the built files. What another event brings is tested as a whole."""
    repo = Repo.new(tmp_path / "repo", {"setup.py": ""})
    repo.commit(dict.fromkeys(changed, "1"))
    outputs = tmp_path / "outputs"
    facts = replace(FACTS, path=path)
    ran = _run(_script("changes", facts), repo.path, {"EVENT": event, "GITHUB_OUTPUT": str(outputs)})
    assert ran.returncode == 0, ran.stderr
    assert outputs.read_text("utf-8").split() == [f"code={expected[0]}", f"package={expected[1]}"]


@needs_bash
def test_what_cannot_be_compared_needs_every_job(tmp_path: Path) -> None:
    """Outside of a repository, as with a checkout that lacks the parent, nothing is skipped."""
    outputs = tmp_path / "outputs"
    ran = _run(_script("changes"), tmp_path, {"EVENT": "pull_request", "GITHUB_OUTPUT": str(outputs)})
    assert ran.returncode == 0
    assert outputs.read_text("utf-8") == "code=true\npackage=true\n"


@needs_bash
@pytest.mark.parametrize(
    ("results", "code"),
    [
        ("success success", 0),
        ("success skipped", 0),
        ("success failure skipped", 1),
        ("cancelled success", 1),
        ("success unheard-of", 1),
    ],
)
def test_the_required_check_counts_every_job(tmp_path: Path, results: str, code: int) -> None:
    """A failed or cancelled job fails it; one that is not needed does not."""
    assert _read(FACTS)["jobs"]["all-checks"]["if"] == "always()"
    assert _run(_script("all-checks"), tmp_path, {"NEEDS": "{}", "RESULTS": results}).returncode == code
