"""Run ``unmoor sync``: check the files of HEAD, bring them into the Space, and print what became of it."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from functools import partial

import click
import msgspec

from unmoor import advice
from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.factory import open_checkout, open_space
from unmoor.adapters.git.history import changed_files, commit_at
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, session
from unmoor.cli.opened_run import OpenedRun
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.config.space import SpaceSettings
from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Reach
from unmoor.deploy.space.patterns import matches
from unmoor.errors import ConfigError, Refused
from unmoor.filesystem import commands
from unmoor.filesystem.safe_folder import OWN
from unmoor.products import Release
from unmoor.project import read_facts
from unmoor.release_request import ReleaseRequest
from unmoor.stages.check_space import CheckSpace
from unmoor.stages.space import DeploySpace
from unmoor.stages.synced_commit import TakeCommit
from unmoor.util.text import clean, count_of

FOLDER = "sync"
"""The run folder in ``.unmoor``, which no tag can have."""
# What GitHub gives as the commit before the first push of a branch.
_NONE = re.compile("0{40,64}")
_SETTINGS = frozenset({"pyproject.toml", "unmoor.toml"})


class _SyncDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of ``--json`` of a run that had nothing to do."""

    schema: int
    commit: str
    since: str
    changed: int


def run(target: TargetOptions, *, since: str | None, as_json: bool) -> int:
    """Sync the Space with HEAD. Print the result on stdout, and return the exit code."""
    # git answers several questions now, one after the other. Meanwhile a thread loads what asks the hub.
    threading.Thread(target=_load, daemon=True).start()
    with Processes() as processes:
        with processes.guarded():
            project, head = _head(target, processes)
            settings = _settings(project)
            if since is not None and not _has_changed(project, settings, since=since, head=head):
                _print_unchanged(head, since, as_json=as_json)
                return 0
            opened = _open(project, settings, target, head, processes)
        words = ["unmoor", "sync", "space", *target.arguments()]
        command = commands.join([*words, *(["--changed-since", since] if since else [])])
        options = RunOptions(
            target=target, ceiling=Reach.REMOTE, as_json=as_json, command=command, deploys=("space",), engine=False
        )
        report = session.run_session(opened, options, processes)
        return session.finish(report, opened, options)


def _load() -> None:
    """Import what asks the hub. What cannot be imported fails where it is used, with a message."""
    with suppress(ImportError):
        from unmoor.adapters.hub.writes import load_client

        load_client()


def _head(target: TargetOptions, processes: Processes) -> tuple[ResolvedProject, str]:
    """The project at HEAD. Raises `Refused` if there is no commit, or in a run for a pull request."""
    ci = RunContext.from_environ(os.environ)
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    head = checkout.head()
    if head is None:
        raise Refused("there is no commit yet", where=str(checkout.folder), next_step=advice.COMMIT_SOMETHING())
    for path in checkout.changed():
        output.err(f"warning: not part of what is deployed, since it is not committed: {clean(path)}")
    return resolve_project(checkout, head, sources, ci), head


def _settings(project: ResolvedProject) -> SpaceSettings:
    """The table of the Space. Raises `ConfigError` if there is none."""
    if project.settings.space is None:
        raise ConfigError(
            "there is no table [tool.unmoor.space] in the settings of HEAD",
            next_step=advice.CONFIGURE_DEPLOYMENT(table="space"),
        )
    return project.settings.space


def _has_changed(project: ResolvedProject, settings: SpaceSettings, *, since: str, head: str) -> bool:
    """Whether a file of the Space differs between two commits, or the settings do. Raises `Refused`."""
    if _NONE.fullmatch(since):
        return True  # there is no commit before
    checkout = project.checkout
    former = commit_at(checkout.git, checkout.folder, since)
    if former is None:
        raise Refused(
            f"this checkout has no commit {clean(since, 80)!r}",
            where=str(checkout.folder),
            next_step=advice.FETCH_DEFAULT_BRANCH(),
        )
    paths = changed_files(checkout.git, checkout.folder, former, head, within=checkout.path)
    return any(path in _SETTINGS or matches(settings.files, path) for path in paths)


def _print_unchanged(head: str, since: str, *, as_json: bool) -> None:
    if as_json:
        session.echo_json(_SyncDocument(schema=1, commit=head, since=since, changed=0))
    else:
        click.echo(f"nothing to sync: {count_of(0, 'file')} of the Space changed since {clean(since, 80)}")


def _open(
    project: ResolvedProject, settings: SpaceSettings, target: TargetOptions, head: str, processes: Processes
) -> OpenedRun:
    """Open the world, and build the stages with the few services that they need. Only reads.

    Raises `ConfigError` if the world has no hub.
    """
    world = open_world(target.world, project, repository=project.repository)
    hub = open_space(world, settings.repo, processes)
    if hub is None:
        raise ConfigError(
            f"the world {clean(world.name)} has no place for a Space", next_step=advice.DESCRIBE_DEPLOYMENT()
        )
    request = ReleaseRequest(
        tag="",
        named=False,
        repository=world.forge.repository,
        settings=project.settings,
        folder=RunFolder(project.checkout.folder / OWN / FOLDER),
        ceiling=Reach.REMOTE,
        real=target.world is None,
        site=world.forge.site,
        any_version=True,  # a commit has no version that another one could be higher than
    )
    take = TakeCommit.of(_commit(project, head))
    check = CheckSpace(
        release=take.output,
        settings=settings,
        git=open_checkout(target.folder, processes, remote=world.remote).at(project.checkout.path),
        shell=LocalShell(processes=processes),
        hub=hub,
        folder=request.folder,
        advisory=settings.policy == "advisory",
    )
    deploy = DeploySpace(
        release=take.output,
        files=check.output,
        settings=settings,
        hub=hub,
        clock=MonotonicClock(processes=processes, patience=world.patience),
        any_version=request.any_version,
        advisory=settings.policy == "advisory",
    )
    return OpenedRun(request=request, world=world, pipeline=Pipeline.of(take, check, deploy))


def _commit(project: ResolvedProject, head: str) -> Release:
    """HEAD in the place of a release."""
    checkout = project.checkout
    return Release(
        repository=project.repository,
        project=read_facts(partial(checkout.read, head), project=project.settings.project).name,
        tag="",
        version="",
        commit=head,
        date=checkout.date_of(head),
        prerelease=True,
        highest=False,
        path=checkout.path,
    )
