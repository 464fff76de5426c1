"""metrics.yml: figures of the forge's runs, kept on a branch each day, judged, and shown on one page."""

from __future__ import annotations

from typing import Final

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, JobPermission, Script, Workflow, WorkflowJob
from unmoor.workflows.optional_parts import READ, begin_job, daily, in_folder, needs_tool, tool_jobs, upload_file
from unmoor.workflows.release_parts import TOKEN
from unmoor.workflows.steps import MARK, RETENTION_DAYS

METRICS_FILE: Final = "metrics.yml"
_COMMENT: Final = f"""\
{MARK}
Keeps figures of the runs of all workflows, which the forge forgets, judges them, and writes one page about them.
Settings: [tool.unmoor.metrics]. No job runs code of the project."""
_PAGE: Final = "metrics.html"


def metrics_workflow(facts: WorkflowFacts) -> Workflow:
    """Return metrics.yml. Raises `ConfigError` if the figures are to be kept in a folder, which no job keeps."""
    if not facts.settings.metrics.store.startswith("branch:"):
        raise ConfigError(
            f"{METRICS_FILE} keeps figures on a branch, and store in [tool.unmoor.metrics] names a folder",
            next_step=advice.NAME_OTHER_BRANCH(),
        )
    return Workflow(
        file=METRICS_FILE,
        name="metrics",
        comment=_COMMENT,
        on={"schedule": [{"cron": daily(facts.project)}], "workflow_dispatch": None},
        # Two runs would read the same past twice.
        concurrency=Concurrency(group="metrics", queue=True),
        jobs=(*tool_jobs(facts), _fetch(facts), _check(facts), _report(facts)),
    )


def _fetch(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="fetch",
        name="Fetch",
        comment="Stops before the requests of the token are used up; the next run goes on.",
        needs=needs_tool(facts),
        minutes=60,
        permissions=(
            JobPermission("contents", "write", "to keep the figures on their branch"),
            JobPermission("actions", "read", "to read the runs of workflows"),
            JobPermission("pull-requests", "read", "to read which updates wait"),
        ),
        steps=(
            *begin_job(facts),
            Script(name="Fetch what is new", script=f"unmoor metrics fetch{in_folder(facts)}", env=TOKEN),
        ),
    )


def _check(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="check",
        name="Check",
        needs=needs_tool(facts, "fetch"),
        minutes=20,
        permissions=(READ, JobPermission("issues", "write", "to open, update and close the one issue about them")),
        steps=(
            *begin_job(facts),
            Script(name="Judge the figures", script=f"unmoor metrics check --issue{in_folder(facts)}", env=TOKEN),
        ),
    )


def _report(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="report",
        name="Report",
        needs=needs_tool(facts, "fetch"),
        minutes=20,
        permissions=(READ,),
        steps=(
            *begin_job(facts),
            Script(name="Write the page", script=f"unmoor metrics report --html {_PAGE}{in_folder(facts)}", env=TOKEN),
            upload_file("metrics-report", _PAGE, days=RETENTION_DAYS),
        ),
    )
