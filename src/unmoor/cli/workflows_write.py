"""``unmoor workflows write``: write every file, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.cli.tool_lists import list_compiler
from unmoor.cli.workflows_run import WorkflowProject, open_project
from unmoor.scaffold.file_changes import FileChange, write_all
from unmoor.scaffold.workflow_changes import WorkflowChange, list_changes, workflow_change
from unmoor.util.text import list_some, printable
from unmoor.workflows.every import FOLDER

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


def run(target: TargetOptions, names: Sequence[str], *, dry_run: bool, replace: bool, tool: Path | None) -> int:
    """Prepare every file before the first one is written, then write them; print a line for each on stdout.

    Raises `Refused` for a file that unmoor did not write unless ``replace``, and for one that cannot be read;
    `Incomplete` or `Unknown` if the list of what the jobs install cannot be compiled.
    """
    with Processes() as processes, processes.guarded():
        project = open_project(target, processes)
        files = project.named(names)
        compile_list = list_compiler(tool, processes)
        changes = [workflow_change(project.read, each, replace=replace) for each in files]
        lists = [change for each in project.lists for change in list_changes(project.read, each, compile_list)]
        changes += [WorkflowChange(change=change) for change in lists]
        if not dry_run:
            write_all(project.top, [each.change for each in changes])
    for each in changes:
        change = each.change
        for line in change.diff() if dry_run else (f"{change.state}: {change.path}",):
            click.echo(printable(line))
        for line in each.undone if not dry_run else ():
            output.err(f"warning: {change.path}:{line}")
    _advise(project, [each.change for each in changes])
    return 0


def _advise(project: WorkflowProject, changes: Sequence[FileChange]) -> None:
    """Say on stderr what the files do not do by themselves."""
    from unmoor.provenance.release_workflow import is_workflow, signing_workflows

    folder = project.top / FOLDER
    there = [f"{FOLDER}/{each.name}" for each in sorted(folder.iterdir())] if folder.is_dir() else []
    others = [path for path in there if is_workflow(path) and path not in {each.path for each in project.expected}]
    signing = signing_workflows({path: project.read(path) for path in others})
    if signing.paths:
        output.err(f"warning: a tag also starts {list_some(signing.paths)}, which can publish as well")
    if project.lock is not None and any(each.changes for each in changes):
        output.err("the repository locks its actions: run `gh actions-lock`")
