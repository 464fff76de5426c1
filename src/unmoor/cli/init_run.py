"""Run ``unmoor init``: read the work tree, show the proposal, ask once, and write all of it or nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor import advice
from unmoor._version import __version__
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import default_branch
from unmoor.cli import output
from unmoor.cli.resolve_project import read_sources, remote_repository, resolve_checkout
from unmoor.cli.tool_lists import list_compiler
from unmoor.cli.workflows_run import require_github
from unmoor.config.settings import resolve
from unmoor.errors import Refused
from unmoor.project import read_facts
from unmoor.scaffold.checklist import ChecklistItem
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.file_changes import FileChange, write_all
from unmoor.scaffold.proposal import InitProposal, ProposalPart, propose
from unmoor.scaffold.workflow_files import WorkflowFiles
from unmoor.util.text import clean, count_of, list_some, printable
from unmoor.workflows.differences import LOCK
from unmoor.workflows.every import FOLDER

if TYPE_CHECKING:
    from unmoor.adapters.git.checkout import GitCheckout
    from unmoor.cli.run_options import TargetOptions

_TO_CHANGE = 1


def run(
    target: TargetOptions, parts: Sequence[str], *, yes: bool, check_only: bool, tool: Path | None, as_json: bool
) -> int:
    """Make the proposal, show it, and write it if the user agrees; return the exit code.

    Raises `Refused` for a repository without commits, for files with uncommitted changes, and for what is in the way;
    `ConfigError` for malformed files; `Incomplete` or `Unknown` if the list that the jobs install cannot be compiled.
    """
    with Processes() as processes, processes.guarded():
        checkout, files = _open(target, tool, processes)
        proposal = propose([ProposalPart(each) for each in parts], files)
        _require_committed(checkout, proposal.changes)
        _show(proposal, as_json=as_json)
        if not proposal.changes:
            output.err("nothing to change")
        elif check_only:
            output.err(f"{count_of(len(proposal.changes), 'file')} would change")
        elif yes or (not as_json and _agrees(proposal)):
            write_all(checkout.folder, proposal.changes)
            for change in proposal.changes:
                output.err(f"{change.state}: {clean(change.path)}")
            if (
                any(change.path.startswith(FOLDER) for change in proposal.changes)
                and files.draft.read(LOCK) is not None
            ):
                output.err("the repository locks its actions: run `gh actions-lock`")
        else:
            output.err("nothing was written; to write the changes, add --yes")
        if not as_json:
            _show_checklist(proposal.checklist)
    return _TO_CHANGE if check_only and proposal.changes else 0


def _open(target: TargetOptions, tool: Path | None, processes: Processes) -> tuple[GitCheckout, WorkflowFiles]:
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    head = checkout.head()
    if head is None:
        raise Refused(
            "the repository has no commits yet", where=str(checkout.folder), next_step=advice.MAKE_FIRST_COMMIT()
        )
    path, there = checkout.path, checkout.work_tree_files()
    draft = ProposalDraft(there.read, there.names())
    below = draft.below(path)
    settings = resolve(below.read, config=sources.config, environ=sources.environ, below=path).settings
    require_github(checkout, settings.repository)
    project = ScaffoldProject(
        path=path,
        name=settings.project or read_facts(below.read).name,
        repository=settings.repository or remote_repository(checkout),
        tags=checkout.tags(),
        branch=default_branch(sources.environ) or checkout.default_branch() or "main",
    )
    if not project.repository:
        draft.note("there is no git remote, so OWNER and REPOSITORY below are to be replaced")
    if not checkout.git.run("symbolic-ref", "--quiet", "HEAD", cwd=checkout.folder, fine=(0, 1)).out.strip():
        draft.note("HEAD is detached: check out a branch before you commit the changes")
    files = WorkflowFiles(
        draft=draft,
        project=project,
        resolve=lambda those: resolve(those.read, config=sources.config, environ=sources.environ, below=path).settings,
        compile_list=list_compiler(tool, processes),
        version=__version__,
    )
    return checkout, files


def _require_committed(checkout: GitCheckout, changes: Sequence[FileChange]) -> None:
    """Raise `Refused` if a file that would change has changes of the user that no commit has."""
    if not changes:
        return
    head = checkout.head()
    known = set(checkout.at("").files(head)) if head is not None else set()
    changed = set(checkout.changed())
    lost = [
        each.path for each in changes if each.path in changed or (each.before is not None and each.path not in known)
    ]
    if lost:
        raise Refused(
            f"{list_some([clean(each) for each in lost])} would change, and has changes that are not committed",
            where=str(checkout.folder),
            next_step=advice.COMMIT_OR_STASH(),
        )


def _show(proposal: InitProposal, *, as_json: bool) -> None:
    """Print the diff on stdout, or everything as JSON; what was read, and what stays, on stderr."""
    if as_json:
        from unmoor.cli.session import echo_json  # it has the whole release

        changes = [
            {"path": each.path, "state": each.state, "reason": each.reason, "diff": list(each.diff())}
            for each in proposal.changes
        ]
        echo_json(
            {
                "findings": proposal.findings,
                "changes": changes,
                "notes": proposal.notes,
                "checklist": proposal.checklist,
            }
        )
        return
    for found in proposal.findings:
        output.err(f"{found.what + ':':<11}{found.value}")
    for change in proposal.changes:
        for line in change.diff():
            click.echo(printable(line))
    for change in proposal.changes:
        output.err(f"{change.state:>9}  {clean(change.path)}: {clean(change.reason)}")
    for note in proposal.notes:
        output.err(f"note: {clean(note, 600)}")


def _agrees(proposal: InitProposal) -> bool:
    """Ask once, on a terminal only."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(f"Write {count_of(len(proposal.changes), 'file')}?", err=True)


def _show_checklist(items: Sequence[ChecklistItem]) -> None:
    """Print what a person does elsewhere."""
    if not items:
        return
    output.err("")
    output.err("To do elsewhere before the first release (`unmoor check --access` looks at each):")
    for number, item in enumerate(items, 1):
        output.err(f"{number:>2}. {clean(item.title)}" + (f"  [{item.check}]" if item.check else ""))
        output.err(f"    {clean(item.where)}")
        for label, value in item.values:
            output.err(f"      {clean(label)}: {clean(value)}")
        if item.note:
            output.err(f"    {clean(item.note)}")
