"""Pull requests and workflow runs of the local world's forge."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.support.local_forge import LocalForge, start_forge
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge.pull_requests import GitHubPullRequests
from unmoor.adapters.forge.workflow_runs import GitHubWorkflowRuns
from unmoor.cli.cut_watch import watch
from unmoor.errors import CheckFailed, Denied, Refused, Rejected, UnmoorError
from unmoor.util.secret import Secret
from unmoor.util.values import replace


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A world whose remote has a branch to merge."""
    with start_forge(tmp_path_factory.mktemp("pulls")) as running:
        remote = running.world / "remote.git"
        running.repo.commit({"x": "1"}, "Release")
        running.repo.git("push", "--quiet", str(remote), "HEAD:refs/heads/release/v9.0", "HEAD:refs/heads/release/v9.1")
        yield running


def pulls(at: LocalForge, token: str | None = None) -> GitHubPullRequests:
    """The adapter, with the token that may push unless another one is given."""
    login = at.place.login if token is None else replace(at.place.login, secret=Secret(token))
    return GitHubPullRequests(replace(at.place, login=login), at.http, at.clock)


def test_a_pull_request_is_opened_and_found(at: LocalForge) -> None:
    """It has an address, is found by its branch, can be reworded, and there cannot be a second one."""
    adapter = pulls(at)
    assert adapter.of_branch("release/v9.0") == ()
    made = adapter.create(branch="release/v9.0", base="main", title="Release 9.0", body="Text")
    assert made.is_open
    assert made.url.endswith(f"/acme/demo/pull/{made.number}")
    assert adapter.of_branch("release/v9.0") == (made,)
    assert adapter.update(made.number, title="Release 9", body="It is ready.") == made
    stored = json.loads(next(at.world.rglob("pulls.json")).read_text())
    assert (stored[-1]["title"], stored[-1]["body"]) == ("Release 9", "It is ready.")
    with pytest.raises(UnmoorError):
        adapter.update(made.number + 100, title="x", body="")
    with pytest.raises(Rejected, match="already exists"):
        adapter.create(branch="release/v9.0", base="main", title="Again", body="")


def test_a_merged_one_names_the_commit(at: LocalForge) -> None:
    """The commit that merging made counts only after the merge: before it, it is a trial."""
    adapter = pulls(at)
    made = adapter.create(branch="release/v9.1", base="main", title="Release 9.1", body="")
    file = next(at.world.rglob("pulls.json"))
    stored = json.loads(file.read_text())
    stored[-1] |= {"state": "closed", "merged": at.commit}
    file.write_text(json.dumps(stored))
    (found,) = adapter.of_branch("release/v9.1")
    assert (found.number, found.is_open, found.merged) == (made.number, False, at.commit)


@pytest.mark.parametrize("branch", ["nowhere", "main"])
def test_a_branch_without_changes_is_refused(at: LocalForge, branch: str) -> None:
    """The forge refuses a branch that is not there, and one without a difference."""
    with pytest.raises(Rejected):
        pulls(at).create(branch=branch, base="main", title="x", body="")


def test_a_token_that_only_reads_is_denied(at: LocalForge) -> None:
    """The next step names the permission."""
    with pytest.raises(Denied) as raised:
        pulls(at, at.read_token).create(branch="release/v9.0", base="main", title="x", body="")
    assert raised.value.advice_ids == ("allow-pull-requests",)


def runs(at: LocalForge) -> GitHubWorkflowRuns:
    """The adapter of the runs."""
    return GitHubWorkflowRuns(at.place, at.http, at.clock)


def _set_runs(at: LocalForge, *found: dict[str, object]) -> None:
    folder = at.world / "forge"
    folder.mkdir(exist_ok=True)
    (folder / "runs.json").write_text(json.dumps(found))


@pytest.mark.parametrize(("status", "ends"), [("completed", True), ("in_progress", False)])
def test_a_run_is_followed_to_its_end(at: LocalForge, status: str, *, ends: bool) -> None:
    """A run that has succeeded ends the watch; one that goes on does so until the deadline."""
    _set_runs(at, {"id": 7, "branch": "v5.0", "status": status})
    if ends:
        watch(runs(at), FakeClock(), "v5.0", workflow=lambda: "", deadline=60)
        return
    with pytest.raises(Exception, match="have not ended"):
        watch(runs(at), FakeClock(), "v5.0", workflow=lambda: "", deadline=60)


def test_a_run_is_started_if_none_starts(at: LocalForge) -> None:
    """The release workflow is dispatched on the tag, once."""
    _set_runs(at)
    with pytest.raises(Exception, match="have not ended"):
        watch(runs(at), FakeClock(), "v6.0", workflow=lambda: ".github/workflows/release.yml", deadline=60)
    assert [(run.name, run.status) for run in runs(at).of_tag("v6.0")] == [("release.yml", "queued")]


def test_without_a_workflow_nothing_can_start(at: LocalForge) -> None:
    """That is said, with the tag."""
    _set_runs(at)
    with pytest.raises(Refused, match=r"no workflow run of v6\.0 starts"):
        watch(runs(at), FakeClock(), "v6.0", workflow=lambda: "", deadline=60)


def test_a_failed_run_fails_the_watch() -> None:
    """The newest run of each workflow counts."""
    from unmoor.ports.workflow_runs import RunApproval, WorkflowRunState

    class Failed:
        def of_tag(self, tag: str) -> tuple[WorkflowRunState, ...]:
            url = f"https://forge.example/{tag}"
            kwargs = {"name": "release", "status": "completed", "url": url}
            return (
                WorkflowRunState(id=2, conclusion="failure", **kwargs),
                WorkflowRunState(id=1, conclusion="success", **kwargs),
            )

        def approvals(self, run: int) -> tuple[RunApproval, ...]:
            raise AssertionError(run)

        def dispatch(self, workflow: str, tag: str) -> None:
            raise AssertionError((workflow, tag))

    with pytest.raises(CheckFailed, match="ended with failure"):
        watch(Failed(), FakeClock(), "v1.0", workflow=lambda: "", deadline=60)
