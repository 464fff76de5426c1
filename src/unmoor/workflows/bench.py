"""bench.yml: the benchmarks of a change compared with what it changes.

One comment tells a pull request what was found; figures of the default branch are kept.
"""

from __future__ import annotations

from typing import Final

from unmoor import advice
from unmoor.config.amounts import seconds_of
from unmoor.errors import ConfigError
from unmoor.workflows.facts import WorkflowFacts, as_pattern
from unmoor.workflows.model import Concurrency, JobPermission, Script, Workflow, WorkflowJob
from unmoor.workflows.optional_parts import READ, begin_job, hand_over, in_folder, needs_tool, require_digest, tool_jobs
from unmoor.workflows.release_parts import TOKEN, project_pythons
from unmoor.workflows.steps import MARK, download

BENCH_FILE: Final = "bench.yml"
_COMMENT: Final = f"""\
{MARK}
Compares the benchmarks of a change with what it changes, side by side on one machine. Settings: [tool.unmoor.bench].

The job that runs code of the project has no credential that can write. Those that comment on a pull request and keep
the figures of the default branch take its report as text of a stranger, and run only unmoor. In a pull request from a
fork their token only reads: then the report is in the summary of the job."""
_REPORT: Final = "report.json"
_REPORTED: Final = "!cancelled() && needs.compare.outputs.report-sha256 != ''"
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
        on={"pull_request": None, "push": {"branches": [as_pattern(facts.default_branch)]}},
        concurrency=Concurrency(group="bench-${{ github.event.pull_request.number || github.sha }}", cancel=True),
        jobs=(*tool_jobs(facts), _compare(facts, minutes), _comment(facts), *_record(facts)),
    )


def _compare(facts: WorkflowFacts, minutes: int) -> WorkflowJob:
    return WorkflowJob(
        id="compare",
        name="Compare benchmarks",
        comment="HEAD^1 is what a pull request is merged into, or the commit before on the default branch.",
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
        only_if=f"{_REPORTED} && github.event_name == 'pull_request'",
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


def _record(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """Keep what the default branch needs, unless figures are kept in a folder, which no job keeps."""
    if not facts.settings.metrics.store.startswith("branch:"):
        return ()
    job = WorkflowJob(
        id="record",
        name="Keep the figures",
        comment="Runs no code of the project.",
        needs=needs_tool(facts, "compare"),
        only_if=f"{_REPORTED} && github.event_name == 'push'",
        minutes=10,
        permissions=(JobPermission("contents", "write", "to keep the figures on their branch"),),
        steps=(
            *begin_job(facts),
            download("bench-report", "handed"),
            Script(
                name="Keep what the benchmarks of this commit needed",
                script=(
                    f"{require_digest(_REPORT)}"
                    f'unmoor metrics record handed/{_REPORT} --commit "$GITHUB_SHA"{in_folder(facts)}\n'
                ),
                env={"SHA256": "${{ needs.compare.outputs.report-sha256 }}", **TOKEN},
            ),
        ),
    )
    return (job,)
