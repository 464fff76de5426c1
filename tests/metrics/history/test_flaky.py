"""A job is flaky if it passed and failed for the same code."""

from __future__ import annotations

import pytest
from tests.support.metric_records import EXAMPLES

from unmoor.metrics.history.flaky import FlakyJob, find_flaky
from unmoor.metrics.records import JobRecord
from unmoor.util.values import replace


def jobs(*rows: str, event: str = "push", name: str = "test") -> list[JobRecord]:
    """Jobs from rows of run, attempt, commit and conclusion, such as ``1 1 a success``."""
    example = EXAMPLES[1]
    assert isinstance(example, JobRecord)
    found = []
    for number, row in enumerate(rows):
        run, attempt, commit, conclusion = row.split()
        changes = {"run": int(run), "attempt": int(attempt), "commit": commit * 40, "conclusion": conclusion}
        found.append(replace(example, id=number, event=event, name=name, **changes))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("event", "rows", "times"),
    [
        ("push", ["1 1 a failure", "1 2 a success"], 1),
        ("pull_request", ["1 1 a failure", "1 2 a success"], 1),
        ("push", ["1 1 a failure", "2 1 a success"], 1),
        ("pull_request", ["1 1 a failure", "2 1 a success"], 0),
        ("schedule", ["1 1 a failure", "2 1 a success"], 0),
        ("push", ["1 1 a failure", "2 1 b success"], 0),
        ("push", ["1 1 a timed_out", "1 2 a success"], 1),
        ("push", ["1 1 a cancelled", "1 2 a success"], 0),
        ("push", ["1 1 a skipped", "1 2 a failure"], 0),
        ("push", ["1 1 a failure", "1 2 a failure", "1 3 a failure"], 0),
        ("push", ["1 1 a failure", "1 2 a success", "2 1 b failure", "2 2 b success", "2 3 b success"], 2),
        ("pull_request", ["1 1 a failure", "1 2 a success", "2 1 a failure", "2 2 a success"], 2),
    ],
    ids=[
        "attempts",
        "attempts-of-a-pull",
        "pushes",
        "runs-of-a-pull",
        "schedule",
        "other-commit",
        "time-out",
        "cancelled",
        "skipped",
        "always-fails",
        "twice",
        "two-runs-of-a-pull",
    ],
)
def test_both_results_for_the_same_code(event: str, rows: list[str], times: int) -> None:
    """Attempts of a run count, and pushes of a commit; the commit of a pull request does not say what was merged."""
    assert sum(each.times for each in find_flaky(jobs(*rows, event=event))) == times


def test_jobs_are_told_apart() -> None:
    """The results of two jobs are not mixed, and the one that is flaky most often comes first."""
    often = ["1 1 a failure", "1 2 a success", "2 1 b failure", "2 2 b success"]
    found = find_flaky(
        [*jobs(*often[:2], name="a"), *jobs(*often, name="b"), *jobs("1 1 a failure", name="c"), *jobs("1 2 a success")]
    )
    workflow = ".github/workflows/ci.yml"
    assert found == (
        FlakyJob(workflow=workflow, name="b", times=2, run=2),
        FlakyJob(workflow=workflow, name="a", times=1, run=1),
    )
