"""upkeep.yml: updates are tested in one job and proposed by another, and old leftovers go."""

from __future__ import annotations

from tests.support.optional_workflows import PROJECTS, jobs_of, may, scripts_of

from unmoor.util.values import replace
from unmoor.workflows.upkeep import upkeep_workflow


def test_each_job_has_what_it_needs() -> None:
    """The tests run with a token that only reads; the job that proposes and the one that deletes run only unmoor."""
    jobs = jobs_of(upkeep_workflow)
    assert {name: may(job) for name, job in jobs.items()} == {
        "update": {"contents": "read"},
        "propose": {"contents": "write", "pull-requests": "write", "actions": "write"},
        "clean": {"contents": "read", "actions": "write"},
    }
    assert may(jobs_of(upkeep_workflow, "private")["clean"])["pull-requests"] == "read"


def test_both_kinds_of_leftovers_are_deleted() -> None:
    """With --apply, since the default is a dry run."""
    lines = scripts_of(jobs_of(upkeep_workflow)["clean"]).splitlines()
    cleans = [line for line in lines if line.startswith("unmoor clean")]
    assert cleans == [f"unmoor clean {kind} --older-than 7d --apply" for kind in ("artifacts", "caches")]


def test_without_a_lock_there_are_no_updates() -> None:
    """Dependabot makes those of other projects."""
    (clean,) = upkeep_workflow(replace(PROJECTS["plain"], uses_uv=False)).jobs
    assert clean.id == "clean"
