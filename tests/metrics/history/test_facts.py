"""What a forge says becomes records: which runs are completed, which jobs ran, and which pull requests are updates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.past_runs import NOW, past_job, past_run

from unmoor.metrics.history.facts import is_completed, job_records, run_record, update_record
from unmoor.metrics.store.lines import encode
from unmoor.ports.run_history import PastPull
from unmoor.util.values import replace

RUN = past_run(1, timedelta(hours=1), attempt=2)
PULL = PastPull(
    number=1,
    title="Bump a",
    author="ann",
    branch="fix",
    labels=(),
    created=NOW,
    updated=NOW,
    closed=None,
    merged=None,
)


@pytest.mark.parametrize(
    ("status", "conclusion", "expected"),
    [
        ("completed", "success", True),
        ("completed", "cancelled", True),
        ("completed", "action_required", False),
        ("completed", "", False),
        ("in_progress", "", False),
        ("waiting", "", False),
    ],
)
def test_which_runs_are_completed(status: str, conclusion: str, *, expected: bool) -> None:
    """A run that waits for an approval says that it is completed, but it goes on in the same attempt."""
    assert is_completed(replace(RUN, status=status, conclusion=conclusion)) == expected


@pytest.mark.parametrize(
    ("event", "is_pull"),
    [("push", False), ("pull_request", True), ("pull_request_target", True), ("schedule", False)],
)
def test_which_runs_are_of_pull_requests(event: str, *, is_pull: bool) -> None:
    """Their commit does not say what was merged."""
    assert run_record(replace(RUN, event=event)).pull_request == is_pull


def test_a_copy_of_a_job_did_not_run() -> None:
    """If only the failed job is started again, the new attempt lists the other one as it was."""
    again = RUN.created + timedelta(minutes=9)
    jobs = [
        past_job(1, RUN, attempt=1, name="lint", conclusion="success"),
        past_job(2, RUN, attempt=1, name="test", conclusion="failure"),
        past_job(3, RUN, attempt=2, name="lint", conclusion="success"),
        past_job(4, RUN, attempt=2, name="test", conclusion="success", started=again),
    ]
    assert [each.id for each in job_records(RUN, jobs)] == [1, 2, 4]


def test_jobs_of_a_later_attempt_wait() -> None:
    """A run may be started again while its jobs are read: jobs that are not completed are not kept."""
    jobs = [past_job(1, RUN), past_job(2, RUN, attempt=3), past_job(3, RUN, name="b", conclusion="")]
    assert [each.id for each in job_records(RUN, jobs)] == [1]


def test_jobs_of_one_name_in_an_attempt_all_count() -> None:
    """Two jobs of a matrix may have the same name and times."""
    assert len(job_records(RUN, [past_job(1, RUN), past_job(2, RUN)])) == 2


def test_hostile_names_are_cleaned() -> None:
    """Names are text of others: they become one line that can be stored, never an empty one."""
    run = replace(RUN, name="a\x1b[2Jb\n", workflow="", event="\u202e", branch="x" * 900)
    record = run_record(run)
    assert (record.name, record.workflow, record.event, len(record.branch)) == ("a b", "unnamed", "unnamed", 500)
    encode(record)
    (job,) = job_records(run, [past_job(1, run, name="\r")])
    encode(job)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"author": "dependabot[bot]", "branch": "dependabot/uv/a-2"}, ("uv", None)),
        ({"author": "dependabot[bot]", "branch": "dependabot/github_actions/a/b-2"}, ("github_actions", None)),
        ({"author": "renovate[bot]", "branch": "renovate/a"}, ("", None)),
        ({"author": "pre-commit-ci[bot]", "branch": "pre-commit-ci-update-config"}, ("", None)),
        ({"author": "github-actions[bot]", "branch": "unmoor-deps/security"}, ("uv", True)),
        ({"author": "github-actions[bot]", "branch": "unmoor-deps/lib/minor"}, ("uv", None)),
        ({"labels": ("Dependencies", "security")}, ("", True)),
        ({"labels": ("security",)}, None),
    ],
    ids=["person", "dependabot", "actions", "renovate", "pre-commit", "ours", "ours-below", "label", "other-label"],
)
def test_which_pull_requests_are_updates(changes: dict[str, object], expected: tuple[str, bool | None] | None) -> None:
    """By who opened it, by its branch, or by its label."""
    record = update_record(replace(PULL, **changes))  # type: ignore[arg-type]
    assert (record and (record.ecosystem, record.security)) == expected
