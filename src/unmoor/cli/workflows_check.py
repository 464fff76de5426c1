"""``unmoor workflows check`` and ``list``: compare the files in the work tree with what unmoor would write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import workflow_log
from unmoor.cli.workflows_run import open_project
from unmoor.errors import Conflict, Incomplete
from unmoor.util.text import clean, count_of, list_some
from unmoor.workflows.comparing import DifferenceLevel
from unmoor.workflows.differences import differences
from unmoor.workflows.every import ExpectedFile
from unmoor.workflows.model import WorkflowJob
from unmoor.workflows.reading import is_ours

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


def run(target: TargetOptions, names: Sequence[str], *, as_json: bool) -> int:
    """Print every difference on stdout, and return the exit code.

    Raises `Incomplete` if a file is missing, `Conflict` if one differs, after everything is printed; `Refused` if a
    file cannot be read.
    """
    with Processes() as processes, processes.guarded():
        project = open_project(target, processes)
        files = project.named(names)
        found = tuple(differences(files, project.lists, project.read))
        lists = (path for each in project.lists for path in (each.path, each.source))
        paths = [*(each.path for each in files), *lists]
        missing = [path for path in paths if project.read(path) is None]
    if as_json:
        from unmoor.cli.session import echo_json  # it has the whole release, which takes as long as the check

        echo_json({"files": [each.path for each in files], "missing": missing, "differences": found})
    else:
        for each in found:
            click.echo(f"{clean(each.file)}:{each.line}: {each.level}: {clean(each.place)}: {clean(each.what)}")
    if RunContext.from_environ(os.environ).actions:
        from unmoor.render.actions import annotation

        for each in found:
            workflow_log.command(annotation(each.level, each.place, clean(each.what), file=each.file, line=each.line))
    if missing:
        raise Incomplete(f"not written yet: {list_some(missing)}", next_step=advice.WRITE_WORKFLOWS(), retryable=False)
    errors = [each for each in found if each.level is DifferenceLevel.ERROR]
    if errors:
        raise Conflict(
            f"{count_of(len(errors), 'difference')} from what unmoor would write", next_step=advice.WRITE_WORKFLOWS()
        )
    click.echo(f"{count_of(len(files), 'file')} as unmoor would write them", err=True)
    return 0


def run_list(target: TargetOptions, *, as_json: bool) -> int:
    """Print the files and their jobs on stdout."""
    with Processes() as processes, processes.guarded():
        project = open_project(target, processes)
        listed = project.listed
        written = {each.path for each in listed if is_ours(project.read(each.path) or b"")}
    if as_json:
        from unmoor.cli.session import echo_json  # as above

        echo_json([{"path": each.path, "written": each.path in written, "workflow": each.workflow} for each in listed])
        return 0
    from unmoor.cli import output  # it shows a whole release

    rows = [row for each in listed for row in _rows(each, is_written=each.path in written)]
    for line in output.align_columns(("file", "job", "permissions", "environment", "runs on"), rows):
        click.echo(line)
    return 0


def _rows(expected: ExpectedFile, *, is_written: bool) -> Iterator[tuple[str, ...]]:
    name = expected.path if is_written else f"{expected.path} (not written)"
    if expected.workflow is None:
        yield (name, "-", "-", "-", "-")
        return
    for job in expected.workflow.jobs:
        granted = ", ".join(f"{each.scope}: {each.access}" for each in job.permissions) or "none"
        environment, place = (job.environment or "-", job.runs_on) if isinstance(job, WorkflowJob) else ("-", job.file)
        yield (name, job.id, granted, environment, place)
