"""watch.yml: each day, releases that drifted are found, and one issue tells of them."""

from __future__ import annotations

from typing import Final

from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, JobPermission, Script, Workflow, WorkflowJob
from unmoor.workflows.optional_parts import READ, begin_job, daily, in_folder, needs_tool, tool_jobs
from unmoor.workflows.release_parts import TOKEN, git_login, is_private
from unmoor.workflows.steps import MARK

WATCH_FILE: Final = "watch.yml"
_COMMENT: Final = f"""\
{MARK}
Looks each day at the releases of the last 90 days, and keeps one issue about those that drifted. It only reads, and no
job runs code of the project. Accept a finding with watch-ignore in [tool.unmoor]."""


def watch_workflow(facts: WorkflowFacts) -> Workflow:
    """Return watch.yml."""
    return Workflow(
        file=WATCH_FILE,
        name="watch",
        comment=_COMMENT,
        on={"schedule": [{"cron": daily(facts.project)}], "workflow_dispatch": None},
        # Two runs at once would open two issues.
        concurrency=Concurrency(group="watch", queue=True),
        jobs=(*tool_jobs(facts), _watch(facts)),
    )


def _watch(facts: WorkflowFacts) -> WorkflowJob:
    reads_runs = JobPermission("actions", "read", "to see which runs have not ended")
    return WorkflowJob(
        id="watch",
        name="Watch",
        needs=needs_tool(facts),
        minutes=30,
        permissions=(
            READ,
            *((reads_runs,) if is_private(facts) else ()),
            JobPermission("issues", "write", "to open, update and close the one issue about them"),
        ),
        steps=(
            *begin_job(facts, history=True),
            *((git_login("read the private repository"),) if is_private(facts) else ()),
            Script(name="Look at the releases", script=f"unmoor watch --issue{in_folder(facts)}", env=TOKEN),
        ),
    )
