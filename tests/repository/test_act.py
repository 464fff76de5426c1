"""What the tests change in a workflow so that act can run it, and what stands in for the actions that it uses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.support.act import ACTIONS, Event, Fault, JobAccess, WorkflowRuns, act_text
from tests.support.git_repos import Repo
from tests.support.systems import linux

from unmoor.rehearsal import local
from unmoor.util.values import replace
from unmoor.workflows.pins import PINS

pytestmark = linux  # act is installed there

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
SMALL = """\
on: { push: { tags: ["v*"] } } # a comment
concurrency: { group: "a-${{ github.ref }}", queue: max }
env: { TAG: "${{ github.ref_name }}" }
jobs:
  first:
    runs-on: ubuntu-latest
    concurrency: { group: b, queue: max, cancel-in-progress: false }
    outputs: { x: "${{ steps.it.outputs.x }}" }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: it
        run: echo ${{ github.sha }}
        env: { T: "${{ github.token }}", B: "bearer ${{secrets.GITHUB_TOKEN}}" }
  second:
    needs: first
    if: ${{ always() && needs.first.result == 'success' }}
    uses: ./.github/workflows/other.yml
    with: { x: "${{ needs.first.outputs.x }}" }
"""


def leaves(value: Any, path: str = "") -> dict[str, object]:
    """Return every value of a parsed document by its path."""
    pairs: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    pairs += list(enumerate(value)) if isinstance(value, list) else []
    if not pairs:
        return {path: value}
    return {key: leaf for name, each in pairs for key, leaf in leaves(each, f"{path}/{name}").items()}


def changes(before: str, after: str) -> dict[str, object]:
    """Return what differs between two workflows: the new value by its path, `None` if it is gone."""
    old, new = (leaves(YAML(typ="safe", pure=True).load(text)) for text in (before, after))
    return {path: new.get(path) for path in old | new if old.get(path, "") != new.get(path, "")}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_only_the_queue_is_dropped(path: Path) -> None:
    """Without jobs to change, nothing but the queue differs, neither do comments."""
    text = path.read_text()
    after = act_text(text)
    assert all(path.endswith("/concurrency/queue") for path in changes(text, after))
    assert len(changes(text, after)) == text.count("  queue: max")
    assert after.count("# ") == text.count("# ")


def test_a_queue_of_a_job_is_dropped() -> None:
    """A job can have a queue of its own."""
    assert changes(SMALL, act_text(SMALL)) == {"/concurrency/queue": None, "/jobs/first/concurrency/queue": None}


def test_a_job_gets_its_own_token_and_variables() -> None:
    """The token stands wherever the job names that of GitHub, and where the check-out takes it by itself."""
    access = {"first": JobAccess(token="ghs_1", environ={"HOME": "/home"}), "second": JobAccess(token="ghs_2")}
    queues = changes(SMALL, act_text(SMALL))
    assert changes(SMALL, act_text(SMALL, access=access)) == queues | {
        "/jobs/first/env/HOME": "/home",
        "/jobs/first/steps/0/with/token": "ghs_1",
        "/jobs/first/steps/1/env/T": "${{ 'ghs_1' }}",
        "/jobs/first/steps/1/env/B": "bearer ${{'ghs_1'}}",
    }


def test_a_finished_job_puts_out_what_it_put_out() -> None:
    """The jobs after it see its outputs, and none of its steps run again."""
    job = YAML(typ="safe", pure=True).load(act_text(SMALL, finished={"first": {"x": "5"}, "second": {}}))["jobs"]
    assert job["first"] == {
        "runs-on": "ubuntu-latest",
        "concurrency": {"group": "b", "cancel-in-progress": False},
        "steps": [{"run": "true"}],
        "outputs": {"x": "5"},
    }
    assert (job["second"]["needs"], job["second"]["steps"], "uses" in job["second"]) == (
        "first",
        [{"run": "true"}],
        False,
    )


@pytest.mark.parametrize(("last", "at"), [(False, 0), (True, 2)])
def test_a_fault_is_one_step(*, last: bool, at: int) -> None:
    """A step that fails comes before all others, or after them; the others stay as they are."""
    read = YAML(typ="safe", pure=True).load
    steps = read(act_text(SMALL, fault=Fault(job="first", last=last)))["jobs"]["first"]["steps"]
    assert steps.pop(at) == {"name": "Fail", "run": "exit 1"}
    assert steps == read(SMALL)["jobs"]["first"]["steps"]


def test_each_pinned_action_of_a_release_has_a_stand_in() -> None:
    """What stands in for an action is named like it, and the workflows pin it."""
    assert {f"actions/{path.name}" for path in ACTIONS.iterdir()} <= PINS.keys()


def stand_in(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a stand-in in a folder."""
    environ = {**os.environ, "GITHUB_WORKSPACE": str(folder), **variables}
    script = ACTIONS / name / f"{name.replace('-', '_')}.py"
    return subprocess.run(
        [sys.executable, "-I", script], cwd=folder, env=environ, check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("paths", "hidden", "names"),
    [
        (".unmoor/", "true", {"v1/manifest.json", "v1/proofs/a.json", "v1/proofs/b.txt"}),
        (".unmoor/", "false", set()),
        (".unmoor/*/proofs/*.json", "true", {"v1/proofs/a.json"}),
        ("out/x.txt", "false", {"x.txt"}),
        ("out/x.txt\nout/deep/y.txt", "false", {"x.txt", "deep/y.txt"}),
        ("out", "false", {"x.txt", "deep/y.txt"}),
        ("none", "false", set()),
    ],
)
def test_uploaded_names(tmp_path: Path, paths: str, hidden: str, names: set[str]) -> None:
    """Names are those that upload-artifact gives: relative to the path before the first wildcard."""
    work = tmp_path / "work"
    for name in (".unmoor/v1/manifest.json", ".unmoor/v1/proofs/a.json", ".unmoor/v1/proofs/b.txt", "out/x.txt"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    (work / "out" / "deep").mkdir()
    (work / "out" / "deep" / "y.txt").write_text("y")
    how = {"NAME": "a", "PATHS": paths, "HIDDEN": hidden, "EMPTY": "error", "ARTIFACTS": str(tmp_path / "artifacts")}
    ran = stand_in("upload-artifact", work, OVERWRITE="false", **how)
    assert (ran.returncode == 0) == bool(names), ran.stderr
    artifact = tmp_path / "artifacts" / "a"
    assert {str(each.relative_to(artifact)) for each in artifact.rglob("*") if each.is_file()} == names
    if names:
        assert "already exists" in stand_in("upload-artifact", work, OVERWRITE="false", **how).stderr
        assert stand_in("upload-artifact", work, OVERWRITE="true", **how).returncode == 0


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ({"NAME": "a", "PATTERN": "", "MERGE": "false"}, {"x"}),
        ({"NAME": "", "PATTERN": "leg-*", "MERGE": "false"}, {"leg-1/y", "leg-2/z"}),
        ({"NAME": "", "PATTERN": "leg-*", "MERGE": "true"}, {"y", "z"}),
        ({"NAME": "b", "PATTERN": "", "MERGE": "false"}, set()),
    ],
)
def test_downloaded_names(tmp_path: Path, inputs: Mapping[str, str], names: set[str]) -> None:
    """One artifact comes without its name, several come each in a folder of its name, unless they are merged."""
    for artifact, name in (("a", "x"), ("leg-1", "y"), ("leg-2", "z")):
        (tmp_path / "artifacts" / artifact).mkdir(parents=True)
        (tmp_path / "artifacts" / artifact / name).touch()
    work = tmp_path / "work"
    work.mkdir()
    ran = stand_in("download-artifact", work, INTO="in", ARTIFACTS=str(tmp_path / "artifacts"), **inputs)
    assert (ran.returncode == 0) == bool(names), ran.stderr
    assert {str(each.relative_to(work / "in")) for each in work.rglob("*") if each.is_file()} == names


@pytest.mark.parametrize(
    ("ref", "depth", "persist", "tags"),
    [
        ("refs/tags/v1", "0", "false", 2),
        ("refs/tags/v1", "1", "true", 1),
        ("refs/heads/main", "0", "false", 2),
        ("refs/heads/main", "1", "false", 0),
    ],
)
def test_checked_out(tmp_path: Path, ref: str, depth: str, persist: str, tags: int) -> None:
    """A tag is checked out without a branch, and a token stays behind unless it must not."""
    repo = Repo.new(tmp_path / "origin")
    repo.git("tag", "v1")
    repo.commit({"more": "text"})
    repo.git("tag", "v2")
    repo.git("branch", "-M", "main")
    work = tmp_path / "work"
    work.mkdir()
    how = {"DEPTH": depth, "PERSIST": persist, "TOKEN": "ghs_1", "REF": "", "REMOTE": str(repo.path)}
    sha = repo.git("rev-parse", ref)
    ran = stand_in("checkout", work, GITHUB_REF=ref, GITHUB_SHA=sha, **how)
    assert ran.returncode == 0, ran.stderr
    clone = Repo(work)
    assert clone.git("rev-parse", "HEAD") == sha
    assert clone.git("branch", "--show-current") == ("main" if "heads" in ref else "")
    assert len(clone.git("tag").split()) == tags
    assert ("ghs_1" in (work / ".git" / "config").read_text()) == (persist == "true")


TRIED = """\
on: { push: , workflow_dispatch: { inputs: { word: { type: string } } } }
permissions: {}
concurrency: { group: a, queue: max }
env: { WORD: "${{ inputs.word || 'none' }}" }
jobs:
  first:
    runs-on: ubuntu-latest
    permissions: { contents: write, id-token: write }
    environment: pypi
    outputs: { x: "${{ steps.it.outputs.x }}" }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: it
        run: |
          echo "first $WORD ${T:0:4} ${ACTIONS_ID_TOKEN_REQUEST_URL:+identity} $GITHUB_WORKFLOW_REF $(git status -s)."
          echo "x=5" >> "$GITHUB_OUTPUT"
        env: { T: "${{ github.token }}" }
  second:
    needs: first
    if: github.ref_type == 'tag'
    runs-on: windows-latest
    permissions: {}
    steps:
      - run: echo "second $X ${ACTIONS_ID_TOKEN_REQUEST_URL:+identity}" $(ls)
        env: { X: "${{ needs.first.outputs.x }}" }
  third:
    needs: second
    runs-on: ubuntu-latest
    steps: [{ run: "echo third" }]
"""
TAG_PUSH = Event(name="push", ref="refs/tags/v1")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkflowRuns]:
    """The runs of a small workflow."""
    folder = tmp_path_factory.mktemp("act")
    repo = Repo.new(folder / "origin", {".github/workflows/release.yml": TRIED})
    repo.git("tag", "v1")
    with local.start(folder / "world", repository="acme/demo", checkout=repo.path) as world:
        yield WorkflowRuns(folder, world, "acme/demo")


def test_a_run_and_what_did_not_pass_again(runs: WorkflowRuns) -> None:
    """Each job has what it may have. After a failure only the rest runs again, with the outputs of what passed."""
    run = runs.run(TAG_PUSH, fault=Fault(job="second", last=True))
    assert (run.ended, run.outputs["first"]) == ({"first": True, "second": False}, {"x": "5"})
    assert run.logs["first"] == "first none ghs_ identity acme/demo/.github/workflows/release.yml@refs/tags/v1 .\n"
    assert run.logs["second"] == "second 5 \n"
    again = runs.run(TAG_PUSH, before=run)
    assert again.outputs["first"] == {"x": "5"}
    assert again.ended == {"first": True, "second": True, "third": True}
    assert again.logs == {"second": "second 5 \n", "third": "third\n"}
    assert (len(run.secrets), run.secrets & again.secrets) == (4, frozenset())


def test_a_dispatch_on_a_branch(runs: WorkflowRuns) -> None:
    """A job for tags does not run on a branch, nor does what needs it; inputs arrive."""
    run = runs.run(Event(name="workflow_dispatch", ref="refs/heads/main", inputs={"word": "hello"}))
    assert (set(run.ended), "first hello" in run.words("first")) == ({"first"}, True)


def test_a_robbed_job(runs: WorkflowRuns) -> None:
    """A job that does not get `id-token: write` has no identity."""
    run = replace(runs, robbed=frozenset({("first", "id-token")})).run(TAG_PUSH)
    assert "identity" not in run.words()
