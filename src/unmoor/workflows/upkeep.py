"""upkeep.yml: each week, updates of the lock that pass the tests, and what old runs left is deleted."""

from __future__ import annotations

from typing import Final

from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, JobPermission, Script, Workflow, WorkflowJob
from unmoor.workflows.optional_parts import (
    READ,
    begin_job,
    hand_over,
    in_folder,
    needs_tool,
    require_digest,
    tool_jobs,
    weekly,
)
from unmoor.workflows.release_parts import TOKEN, git_login, is_private, project_pythons
from unmoor.workflows.steps import MARK, download

UPKEEP_FILE: Final = "upkeep.yml"
_COMMENT: Final = f"""\
{MARK}
What a repository needs from time to time. The job that tests updates runs code of the project, and has no credential
that can write. What it hands over counts only by its sha256; the jobs with write permissions run only unmoor."""
_RESULT: Final = "updates.json"
_AGE: Final = "7d"


def upkeep_workflow(facts: WorkflowFacts) -> Workflow:
    """Return upkeep.yml. A project without a uv.lock has no updates in it: Dependabot makes those."""
    updates = (_update(facts), _propose(facts)) if facts.uses_uv else ()
    return Workflow(
        file=UPKEEP_FILE,
        name="upkeep",
        comment=_COMMENT,
        on={"schedule": [{"cron": weekly(facts.project)}], "workflow_dispatch": None},
        concurrency=Concurrency(group="upkeep", queue=True),
        jobs=(*tool_jobs(facts), *updates, _clean(facts)),
    )


def _update(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="update",
        name="Update the lock",
        comment="Runs the tests with each group of updates, and sends nothing.",
        needs=needs_tool(facts),
        minutes=180,
        permissions=(READ,),
        outputs={"result-sha256": "${{ steps.result.outputs.sha256 }}"},
        steps=(
            *begin_job(facts, history=True, pythons=project_pythons(facts)),
            Script(
                name="Update to what passes the tests",
                script=f"unmoor deps update --result {_RESULT}{in_folder(facts)}",
            ),
            *hand_over("updates", _RESULT, step="result", title="Name the result by its digest"),
        ),
    )


def _propose(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="propose",
        name="Propose the updates",
        comment="Runs no code of the project.",
        needs=needs_tool(facts, "update"),
        only_if="!cancelled() && needs.update.outputs.result-sha256 != ''",
        minutes=20,
        permissions=(
            JobPermission("contents", "write", "to push a branch for each group of updates"),
            JobPermission("pull-requests", "write", "to open a pull request for each branch"),
            JobPermission("actions", "write", "to start CI on it, which the push of a job does not start"),
        ),
        steps=(
            *begin_job(facts, history=True),
            git_login(),
            download("updates", "handed"),
            Script(
                name="Open or update pull requests",
                script=f"{require_digest(_RESULT)}unmoor deps propose handed/{_RESULT}{in_folder(facts)}\n",
                env={"SHA256": "${{ needs.update.outputs.result-sha256 }}", **TOKEN},
            ),
        ),
    )


def _clean(facts: WorkflowFacts) -> WorkflowJob:
    reads_pulls = JobPermission("pull-requests", "read", "to keep the caches of open pull requests")
    return WorkflowJob(
        id="clean",
        name="Delete what old runs left",
        needs=needs_tool(facts),
        minutes=60,
        permissions=(
            READ,
            JobPermission("actions", "write", "to delete artifacts and caches"),
            *((reads_pulls,) if is_private(facts) else ()),
        ),
        steps=(
            *begin_job(facts),
            Script(
                name="Delete old artifacts",
                script=f"unmoor clean artifacts --older-than {_AGE} --apply{in_folder(facts)}",
                env=TOKEN,
            ),
            Script(
                name="Delete old caches",
                only_if="${{ !cancelled() }}",
                script=f"unmoor clean caches --older-than {_AGE} --apply{in_folder(facts)}",
                env=TOKEN,
            ),
        ),
    )
