"""Run ``unmoor deps propose``: examine a result, and make pull requests of it. Nothing here runs code of the project.

The lock is made once more, by uv and from the names and versions of the result alone, and must be the one in the
result. uv builds nothing here, and a project whose dependencies only a build knows is proposed with a note.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec

from unmoor import advice
from unmoor.adapters.factory import open_pull_requests, open_workflow_runs, open_writer
from unmoor.adapters.git.login import login_variables
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_updates import UvLockResolver, UvProject
from unmoor.ci.github_actions import RunContext
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.session import echo_json
from unmoor.cli.target_options import TargetOptions
from unmoor.config.read_toml import parse
from unmoor.errors import Refused
from unmoor.filesystem.files import read_regular
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import OWN, make_private
from unmoor.filesystem.temporary import temporary_folder
from unmoor.maintenance.updates.examine import LARGEST, pins_of, read_result, require_believable
from unmoor.maintenance.updates.lock import NAME, Move
from unmoor.maintenance.updates.proposing import ProposalState, ProposedUpdates, Proposing
from unmoor.maintenance.updates.result import UpdateResult
from unmoor.maintenance.updates.starting import BY_ITSELF, find_startable, start
from unmoor.ports.git_writer import GitWriter
from unmoor.ports.lock_updates import Unresolved
from unmoor.ports.world import World
from unmoor.project.files import table
from unmoor.project.releasable import refuse_shallow
from unmoor.provenance.release_workflow import is_workflow
from unmoor.util.text import clean

_FOLDER: Final = "deps"
_BOT: Final = {
    "NAME": "github-actions[bot]",
    "EMAIL": "41898282+github-actions[bot]@users.noreply.github.com",
}
_UNVERIFIED: Final = (
    "Only a build knows what this project depends on, so the lock was not made a second time before it was proposed."
)


class ProposalDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``deps propose --json``."""

    proposed: tuple[ProposedUpdates, ...]


def run(target: TargetOptions, file: Path, *, as_json: bool) -> int:
    """Examine the result, then push and open what is needed. Raises `Refused` before anything is pushed."""
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=None)
        ci = RunContext.from_environ(os.environ)
        project = resolve_project(checkout, checkout.head(), sources, ci)
        result = read_result(_content(file), str(file))
        world = open_world(target.world, project, repository=project.repository)
        note = _examine(project, result, str(file), processes)
        folder = checkout.folder / OWN / _FOLDER
        make_private(folder)
        with exclusive_lock(folder):
            proposing = _open(project, world, processes, ci, folder=folder, note=note)
            proposed = proposing.run(result)
    if as_json:
        echo_json(ProposalDocument(proposed=proposed))
    for each in proposed:
        _show(each, as_json=as_json)
    if not proposed:
        err("the result has no updates, so there is nothing to propose")
    return 0


def _content(file: Path) -> bytes:
    try:
        return read_regular(file, LARGEST + 1)
    except OSError as error:
        raise Refused(
            f"the result cannot be read: {error.strerror}", where=str(file), next_step=advice.MAKE_NEW_RESULT()
        ) from error


def _examine(project: ResolvedProject, result: UpdateResult, where: str, processes: Processes) -> str:
    """Raise `Refused` unless the result can be believed. Returns a note for the pull requests, mostly empty."""
    git = project.checkout
    if result.path != git.path or git.commit_of(result.commit) is None:
        raise Refused(
            f"the result is of the commit {result.commit[:12]} and the project in {clean(result.path or '.', 60)!r},"
            " which this checkout does not have",
            where=where,
            next_step=advice.MAKE_NEW_RESULT(),
        )
    refuse_shallow(git)
    lock, pyproject = git.read(result.commit, NAME), git.read(result.commit, "pyproject.toml")
    if lock is None or pyproject is None:
        raise Refused("the commit has no uv.lock", where=where, next_step=advice.MAKE_NEW_RESULT())
    require_believable(result, lock, where)
    own = table(parse(pyproject, "pyproject.toml").table, "project")
    dynamic = own.get("dynamic")
    if not own or {"dependencies", "optional-dependencies"} & set(dynamic if isinstance(dynamic, list) else ()):
        err(f"warning: {_UNVERIFIED}")
        return _UNVERIFIED
    err("making the locks once more, without building anything")
    uv_project = UvProject(uv=Uv(shell=LocalShell(processes=processes, umask=0o022)), no_build=True)
    with temporary_folder() as folder:
        copy = git.clone(folder / "copy", commit=result.commit, tag="", whole=False)
        resolver = UvLockResolver(project=uv_project, folder=copy)
        for group in result.groups:
            moves = [Move(name=each.name, before=each.before, after=each.after) for each in group.updates]
            made = resolver.apply(lock, pins_of([*moves, *group.also]))
            if isinstance(made, Unresolved) or made != group.lock.encode():
                why = made.why if isinstance(made, Unresolved) else "uv makes another lock of these versions"
                raise Refused(
                    f"the lock of the group {group.group} is not what its versions lead to: {why}",
                    where=where,
                    next_step=advice.MAKE_NEW_RESULT(),
                )
            lock = made
    return ""


def _open(
    project: ResolvedProject, world: World, processes: Processes, ci: RunContext, *, folder: Path, note: str
) -> Proposing:
    checkout = project.checkout
    writer = _writer(project, world, processes, ci)
    runs = open_workflow_runs(world, processes)
    top = checkout.at("")
    commit = project.commit or ""
    paths = [path for path in top.files(commit) if is_workflow(path)]
    startable = find_startable({path: top.read(commit, path) or b"" for path in paths})
    default = writer.remote_default()
    if not default:
        raise Refused(
            "the remote does not name its default branch", where=writer.remote, next_step=advice.NAME_A_REMOTE()
        )
    return Proposing(
        git=checkout,
        writer=writer,
        pulls=open_pull_requests(world, processes),
        folder=folder,
        default=default,
        # Elsewhere the token is a person's or an app's, whose pull requests start CI.
        start_checks=partial(start, runs, startable) if ci.actions else lambda _branch: BY_ITSELF,
        note=note,
    )


def _writer(project: ResolvedProject, world: World, processes: Processes, ci: RunContext) -> GitWriter:
    """What commits and pushes: with the world's token, and in a workflow under the name of GitHub's bot."""
    checkout = project.checkout
    environ = dict(os.environ)
    if ci.actions:
        for role in ("AUTHOR", "COMMITTER"):
            for name, value in _BOT.items():
                environ.setdefault(f"GIT_{role}_{name}", value)
    url = world.remote if "://" in world.remote else checkout.written_remote() or ""
    environ |= login_variables(url, site=world.forge.site, token=world.forge.login.secret, environ=environ)
    return open_writer(checkout, processes, remote=world.remote, environ=environ)


def _show(each: ProposedUpdates, *, as_json: bool) -> None:
    words = {
        ProposalState.OPENED: "opened a pull request",
        ProposalState.UPDATED: "updated the pull request",
        ProposalState.UNCHANGED: "the pull request is up to date",
        ProposalState.DECLINED: "the pull request was closed, so it stays closed",
        ProposalState.KEPT: f"warning: others have committed to {each.branch}, so it stays as it is",
    }
    err(": ".join(filter(None, (f"{each.group}", words[each.state], clean(each.url)))))
    if each.checks:
        err(f"{each.group}: CI: {clean(each.checks, 500)}")
    if each.url and not as_json:
        click.echo(clean(each.url))
