"""The optional workflows, run by act in a local world whose jobs have the permissions that they name, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from tests.support.act import Event
from tests.support.act_release import REPOSITORY, ActRelease, start_act_release
from tests.support.bench_reports import bench_report
from tests.support.systems import linux

from unmoor.config.bench import BenchSettings
from unmoor.config.settings import Settings
from unmoor.metrics.compare.report import encode_report
from unmoor.workflows.bench import bench_workflow
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.metrics import metrics_workflow
from unmoor.workflows.upkeep import upkeep_workflow
from unmoor.workflows.watch import watch_workflow
from unmoor.workflows.yaml_text import text_of

pytestmark = [linux, pytest.mark.journey, pytest.mark.timeout(300)]

MAIN = Event(name="workflow_dispatch", ref="refs/heads/main")
OLD = "2026-01-01T00:00:00Z"
REPORT = encode_report(bench_report()).decode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActRelease]:
    """A project with the optional workflows, two leftovers on its forge, and a pull request."""
    facts = WorkflowFacts(settings=Settings(bench=BenchSettings()), project="small-one")
    # Measuring takes minutes, so that the report is there already: only the jobs after it are of interest.
    bench = text_of(bench_workflow(facts)).replace("unmoor bench compare --against 'HEAD^1' --report", "cp bench.json")
    workflows = {
        "bench.yml": bench,
        "metrics.yml": text_of(metrics_workflow(facts)),
        "upkeep.yml": text_of(upkeep_workflow(facts)),
        "watch.yml": text_of(watch_workflow(facts)),
    }
    with start_act_release(tmp_path_factory.mktemp("optional"), workflows, {"bench.json": REPORT}) as release:
        folder = release.runs.world.folder / "forge"
        folder.mkdir(exist_ok=True)
        (folder / "artifacts.json").write_text(
            json.dumps([{"id": 1, "name": "a", "run": 1, "branch": "main", "created": OLD}])
        )
        (folder / "caches.json").write_text(json.dumps([{"id": 1, "key": "k", "ref": "refs/heads/gone", "used": OLD}]))
        (folder / "runs.json").write_text(json.dumps([{"id": 1, "branch": "main", "status": "completed"}]))
        pull = {"number": 1, "head": "change", "sha": "1" * 40, "base": "main", "title": "A change"}
        (folder / "pulls.json").write_text(json.dumps([pull]))
        yield release


def _stored(place: ActRelease, file: str) -> Sequence[dict[str, object]]:
    found: Sequence[dict[str, object]] = json.loads((place.runs.world.folder / "forge" / file).read_text())
    return found


def test_old_leftovers_are_deleted(place: ActRelease) -> None:
    """With the permission of the job, from a checkout without history."""
    run = place.runs.run(MAIN, file="upkeep.yml")
    assert run.ended == {"clean": True}, run.words()
    assert (_stored(place, "artifacts.json"), _stored(place, "caches.json")) == ([], [])


def test_figures_are_kept_on_a_branch(place: ActRelease) -> None:
    """One job fetches, one judges, and one writes the page, each with its own token."""
    run = place.runs.run(MAIN, file="metrics.yml")
    assert run.ended == dict.fromkeys(("fetch", "check", "report"), True), run.words()
    assert "runs/" in place.runs.git("ls-tree", "-r", "--name-only", "metrics")
    assert (place.runs.artifacts / "metrics-report" / "metrics.html").is_file()


def test_a_tag_that_was_not_released_gets_an_issue(place: ActRelease) -> None:
    """The job fails with the finding, and its token opens the one issue and writes nothing else."""
    identity = ("-c", "user.name=grace", "-c", "user.email=grace@example.org")
    place.runs.git(*identity, "tag", "--annotate", "--message=new", "v1.1", "main")
    before = len(place.writes())
    run = place.runs.run(MAIN, file="watch.yml")
    assert run.ended == {"watch": False}, run.words()
    (issue,) = _stored(place, "issues.json")
    assert (issue["state"], issue["title"]) == ("open", "Releases drifted: 1 finding")
    assert "not-released" in str(issue["body"])
    assert len(place.writes()) == before + 1


def test_a_report_becomes_a_comment(place: ActRelease) -> None:
    """The job that comments gets it by its digest, and nothing else of the one that measured."""
    place.runs.git("update-ref", "refs/pull/1/merge", "main")
    facts = {"number": 1, "pull_request": {"number": 1, "head": {"ref": "change"}, "base": {"ref": "main"}}}
    event = Event(name="pull_request", ref="refs/pull/1/merge", facts=facts)
    run = place.runs.run(event, file="bench.yml")
    assert run.ended == {"compare": True, "comment": True}, run.words()
    (comment,) = _stored(place, "comments.json")
    assert (comment["number"], comment["author"]) == (1, "github-actions[bot]")
    assert f"{REPOSITORY}/pull/1#issuecomment-" in run.words("comment")


def test_figures_of_the_default_branch_are_kept(place: ActRelease) -> None:
    """A push has nobody to comment to; what its benchmarks needed is kept with its commit."""
    run = place.runs.run(Event(name="push", ref="refs/heads/main"), file="bench.yml")
    assert run.ended == {"compare": True, "record": True}, run.words()
    kept = place.runs.git("grep", "-h", "kind", "metrics", "--", "benchmarks")
    assert {json.loads(line)["commit"] for line in kept.splitlines()} == {place.runs.git("rev-parse", "main").strip()}
