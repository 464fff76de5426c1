"""watch.yml: one job that reads the releases, and writes nothing but its issue."""

from __future__ import annotations

import pytest
from tests.support.optional_workflows import jobs_of, may, scripts_of

from unmoor.workflows.model import Uses
from unmoor.workflows.watch import watch_workflow

PUBLIC = {"contents": "read", "issues": "write"}


@pytest.mark.parametrize(
    ("kind", "granted"),
    [("plain", PUBLIC), ("private", {**PUBLIC, "actions": "read"})],
    ids=["public", "private"],
)
def test_the_job_may_write_its_issue_and_nothing_else(kind: str, granted: dict[str, str]) -> None:
    """In a private repository it also has to be allowed to see the runs of workflows."""
    (job,) = jobs_of(watch_workflow, kind).values()
    assert may(job) == granted


def test_it_runs_the_command_on_a_checkout_with_all_tags() -> None:
    """Times, commits and settings of the tags come from the checkout."""
    (job,) = jobs_of(watch_workflow).values()
    assert scripts_of(job).splitlines()[-1] == "unmoor watch --issue"
    (checkout,) = (step for step in job.steps if isinstance(step, Uses) and step.action == "actions/checkout")
    assert checkout.inputs["fetch-depth"] == 0
