"""bench.yml: the benchmarks of a pull request compared with its base, and one comment that says what was found."""

from __future__ import annotations

from typing import Final

from unmoor import advice
from unmoor.config.amounts import seconds_of
from unmoor.errors import ConfigError
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, JobPermission, Script, Workflow, WorkflowJob
from unmoor.workflows.optional_parts import READ, begin_job, hand_over, in_folder, needs_tool, require_digest, tool_jobs
from unmoor.workflows.release_parts import TOKEN, project_pythons
from unmoor.workflows.steps import MARK, download

BENCH_FILE: Final = "bench.yml"
_COMMENT: Final = f"""\
{MARK}
Compares the benchmarks of a pull request with its base, side by side on one machine. Settings: [tool.unmoor.bench].

The job that runs code of the project has no credential that can write. The one that comments takes its report as text
of a stranger, and runs only unmoor. In a pull request from a fork its token only reads: then the report is in the
summary of the job."""
_REPORT: Final = "report.json"
_PREPARATION: Final = 30
"""Minutes for building and installing both sides."""
_MOST: Final = 360


def bench_workflow(facts: WorkflowFacts) -> Workflow:
    """Return bench.yml. Raises `ConfigError` if nothing is to be measured."""
    settings = facts.settings.bench
    if settings is None:
        raise ConfigError(
            f"{BENCH_FILE} has nothing to measure: there is no table [tool.unmoor.bench]",
            next_step=advice.CONFIGURE_BENCH(),
        )
    minutes = min(_MOST, -(-int(seconds_of(settings.max_time)) // 60) + _PREPARATION)
    return Workflow(
        file=BENCH_FILE,
        name="bench",
        comment=_COMMENT,
        on={"pull_request": None},
        concurrency=Concurrency(group="bench-${{ github.event.pull_request.number }}", cancel=True),
        jobs=(*tool_jobs(facts), _compare(facts, minutes), _comment(facts)),
    )


def _compare(facts: WorkflowFacts, minutes: int) -> WorkflowJob:
    return WorkflowJob(
        id="compare",
        name="Compare benchmarks",
        comment="HEAD is the merge of the pull request, and HEAD^1 what it is merged into.",
        needs=needs_tool(facts),
        minutes=minutes,
        permissions=(READ,),
        outputs={"report-sha256": "${{ steps.report.outputs.sha256 }}"},
        steps=(
            *begin_job(facts, history=True, pythons=project_pythons(facts)),
            Script(
                name="Compare",
                script=f"unmoor bench compare --against 'HEAD^1' --report {_REPORT}{in_folder(facts)}",
            ),
            *hand_over("bench-report", _REPORT, step="report", title="Name the report by its digest"),
        ),
    )


def _comment(facts: WorkflowFacts) -> WorkflowJob:
    return WorkflowJob(
        id="comment",
        name="Comment",
        comment="Runs no code of the project.",
        needs=needs_tool(facts, "compare"),
        only_if="!cancelled() && needs.compare.outputs.report-sha256 != ''",
        minutes=10,
        permissions=(READ, JobPermission("pull-requests", "write", "to comment on the pull request")),
        steps=(
            *begin_job(facts),
            download("bench-report", "handed"),
            Script(
                name="Write one comment",
                script=f"{require_digest(_REPORT)}unmoor bench comment handed/{_REPORT}\n",
                env={"SHA256": "${{ needs.compare.outputs.report-sha256 }}", **TOKEN},
            ),
        ),
    )
