"""CI is started on a proposed branch where it can be."""

from __future__ import annotations

import pytest

from unmoor.advice import NextStep
from unmoor.errors import Denied
from unmoor.maintenance.updates.starting import find_startable, start
from unmoor.ports.workflow_runs import RunApproval, WorkflowRunState

FILES = {
    ".github/workflows/ci.yml": b"on: {pull_request: null, workflow_dispatch: null}\njobs: {}\n",
    ".github/workflows/docs.yml": b"on: [pull_request]\njobs: {}\n",
    ".github/workflows/release.yml": b"on: push\njobs: {}\n",
    ".github/workflows/broken.yml": b"on: [",
}


class Runs:
    """Notes what is dispatched."""

    def __init__(self, error: Denied | None = None) -> None:
        self.error = error
        self.dispatched: list[tuple[str, str]] = []

    def of_tag(self, tag: str) -> tuple[WorkflowRunState, ...]:
        """Fail: no test may get here."""
        raise AssertionError(tag)

    def approvals(self, run: int) -> tuple[RunApproval, ...]:
        """Fail: no test may get here."""
        raise AssertionError(run)

    def dispatch(self, workflow: str, tag: str) -> None:
        """Note a dispatch, or refuse it."""
        if self.error:
            raise self.error
        self.dispatched.append((workflow, tag))


def test_what_runs_for_pull_requests_is_dispatched() -> None:
    """Of the workflows for pull requests, one without a dispatch is named."""
    runs = Runs()
    said = start(runs, find_startable(FILES), "unmoor-deps/minor")
    assert runs.dispatched == [("ci.yml", "unmoor-deps/minor")]
    assert said == "dispatched ci.yml; docs.yml cannot be dispatched, for want of workflow_dispatch"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("docs.yml",), "docs.yml cannot be dispatched"),
        ((), "close and reopen"),
        (("ci.yml",), "could not be dispatched: no right"),
    ],
)
def test_what_starts_nothing_says_what_to_do(names: tuple[str, ...], said: str) -> None:
    """Without a dispatch, closing and reopening the pull request starts CI."""
    files = {path: data for path, data in FILES.items() if path.endswith(names)} if names else {}
    told = start(Runs(Denied("no right", next_step=NextStep("give it"))), find_startable(files), "b")
    assert said in told
    assert "close and reopen the pull request" in told
