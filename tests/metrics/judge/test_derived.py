"""What follows from the jobs: a job is flaky if it passed and failed for the same code."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unmoor.metrics.judge.derived import flakinesses
from unmoor.metrics.judge.figures import JobFigure

WORKFLOW = ".github/workflows/ci.yml"


def jobs(*rows: str, event: str = "push", name: str = "test") -> list[JobFigure]:
    """Jobs from rows of run, attempt, commit and conclusion, such as ``1 1 a success``."""
    return [
        JobFigure(
            run=int(run),
            attempt=int(attempt),
            workflow=WORKFLOW,
            name=name,
            commit=commit * 40,
            event=event,
            conclusion=conclusion,
            at=datetime(2026, 11, 1, tzinfo=UTC),
        )
        for run, attempt, commit, conclusion in map(str.split, rows)
    ]


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
    assert sum(each.flaky for each in flakinesses(jobs(*rows, event=event))) == times


def test_jobs_are_told_apart() -> None:
    """The results of two jobs are not mixed, and each counts the commits on which it ended."""
    often = ["1 1 a failure", "1 2 a success", "2 1 b failure", "2 2 b success"]
    found = flakinesses(
        [*jobs(*often, name="b"), *jobs(*often[:3], name="a"), *jobs("1 1 a failure", name="c"), *jobs("1 2 a success")]
    )
    assert [(each.name, each.groups, each.flaky) for each in found] == [
        ("a", 2, 1),
        ("b", 2, 2),
        ("c", 1, 0),
        ("test", 1, 0),
    ]
