"""``unmoor workflows write``: write every file, or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.cli.workflows_run import WorkflowProject, open_project
from unmoor.errors import Refused
from unmoor.filesystem.files import read_regular
from unmoor.provenance.release_workflow import LARGEST
from unmoor.scaffold.file_changes import FileChange, write_all
from unmoor.util.text import clean, list_some
from unmoor.workflows.comparing import DifferenceLevel, compare
from unmoor.workflows.every import FOLDER, ExpectedFile
from unmoor.workflows.merging import merged
from unmoor.workflows.reading import is_ours, read_file
from unmoor.workflows.steps import TOOL_PYTHON
from unmoor.workflows.tool_list import PinnedList

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


class WorkflowChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change to a file, and ``undone``: the changes of others to it that do not stay."""

    change: FileChange
    undone: tuple[str, ...] = ()


def run(target: TargetOptions, names: Sequence[str], *, dry_run: bool, replace: bool, tool: Path | None) -> int:
    """Prepare every file before the first one is written, then write them; print a line for each on stdout.

    Raises `Refused` for a file that unmoor did not write unless ``replace``, and for one that cannot be read;
    `Incomplete` or `Unknown` if the list of what the jobs install cannot be compiled.
    """
    with Processes() as processes, processes.guarded():
        project = open_project(target, processes)
        files = project.named(names)
        changes = [_change(project, each, replace=replace) for each in files]
        lists = [change for each in project.lists for change in _list_changes(project, each, tool, processes)]
        changes += [WorkflowChange(change=change) for change in lists]
        if not dry_run:
            write_all(project.top, [each.change for each in changes])
    for each in changes:
        change = each.change
        for line in change.diff() if dry_run else (f"{change.state}: {change.path}",):
            click.echo(clean(line, limit=2000))
        for line in each.undone if not dry_run else ():
            output.err(f"warning: {change.path}:{line}")
    _advise(project, [each.change for each in changes])
    return 0


def _change(project: WorkflowProject, expected: ExpectedFile, *, replace: bool) -> WorkflowChange:
    _refuse_twin(project, expected.path)
    before = project.read(expected.path)
    if before is None or (replace and not is_ours(before)):
        change = FileChange(path=expected.path, before=before, after=expected.text.encode())
        return WorkflowChange(change=change)
    if not is_ours(before):
        raise Refused(
            "unmoor did not write this file",
            where=expected.path,
            next_step=advice.REPLACE_WORKFLOW(name=Path(expected.path).stem),
        )
    there = read_file(expected.path, before)
    text = merged(expected.file, there, is_own=expected.is_own)
    found = compare(expected.file, there, is_own=expected.is_own, locked=lambda _: False)
    return WorkflowChange(
        change=FileChange(path=expected.path, before=before, after=text.encode()),
        undone=tuple(
            f"{each.line}: {clean(each.place)}: {clean(each.what)}: changed back"
            for each in found
            if each.level is DifferenceLevel.ERROR
        ),
    )


def _refuse_twin(project: WorkflowProject, path: str) -> None:
    """Raise `Refused` if the same workflow is there with the other ending, so that both would run."""
    twin = f"{path.removesuffix('.yml')}.yaml"
    if project.read(twin) is not None:
        raise Refused(
            f"{path} and this file would both run", where=twin, next_step=advice.REMOVE_TWIN_WORKFLOW(file=twin)
        )


def _list_changes(
    project: WorkflowProject, pinned: PinnedList, tool: Path | None, processes: Processes
) -> Iterator[FileChange]:
    """Yield the changes of a list and of what it is made from. A list that is new enough stays as it is."""
    before = project.read(pinned.path)
    text = before.decode(errors="replace") if before is not None else None
    source = project.read(pinned.source)
    if text is not None and not any(each.level is DifferenceLevel.ERROR for each in pinned.faults(text)):
        if source is None:
            yield FileChange(path=pinned.source, before=None, after=pinned.made_from(text).encode())
        return
    if tool is not None and pinned is project.lists[0]:
        compiled = _given_list(tool)
        if faults := [each for each in pinned.faults(compiled) if each.level is DifferenceLevel.ERROR]:
            raise Refused(faults[0].what, where=f"{tool}:{faults[0].line}", next_step=advice.GIVE_TOOL_LIST())
    else:
        from unmoor.adapters.factory import open_lists

        compiled = open_lists(processes).compile(f"{pinned.requirement}\n", python=TOOL_PYTHON)
    yield FileChange(path=pinned.source, before=source, after=pinned.made_from(compiled).encode())
    yield FileChange(path=pinned.path, before=before, after=pinned.text(compiled).encode())


def _given_list(tool: Path) -> str:
    try:
        return read_regular(tool, LARGEST).decode(errors="replace")
    except FileNotFoundError as error:
        raise Refused("there is no such file", where=str(tool), next_step=advice.GIVE_TOOL_LIST()) from error


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
