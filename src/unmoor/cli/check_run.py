"""Run ``unmoor check``: collect what checks need, run them, and print what they found."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.user_programs import InstalledPrograms
from unmoor.checks.model import CheckContext, CheckGroup
from unmoor.checks.registry import CHECKS
from unmoor.checks.running import run_checks
from unmoor.checks.selection import Selection, select_checks
from unmoor.ci.github_actions import RunContext, default_branch
from unmoor.cli import check_report
from unmoor.config.config_file import read_config_file
from unmoor.config.settings import Settings
from unmoor.errors import UnmoorError
from unmoor.filesystem.safe_folder import refuse_links
from unmoor.ports.repository_files import RepositoryFiles
from unmoor.project.locate import ConfigSources, locate, settings_at
from unmoor.util.concurrency import run_parallel

if TYPE_CHECKING:
    from unmoor.cli.target_options import TargetOptions
    from unmoor.ports.services import Services

# Stands for the commit before the first one: the files are those that are there now.
_NO_COMMIT: Final = "0" * 40
# What builds and installs asks no forge about it.
_NO_REPOSITORY: Final = "no/repository"


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command: which groups and checks run, on which files, and what is written."""

    full: bool = False
    access: bool = False
    staged: bool = False
    coverage: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    as_json: bool = False
    sarif: Path | None = None

    @property
    def groups(self) -> frozenset[CheckGroup]:
        """The groups that run."""
        more = {
            CheckGroup.FULL: self.full,
            CheckGroup.ACCESS: self.access,
            CheckGroup.COVERAGE: self.coverage is not None,
        }
        return frozenset({CheckGroup.FAST, *(group for group, runs in more.items() if runs)})


def run(target: TargetOptions, options: CheckOptions) -> int:
    """Print every finding on stdout and the counts on stderr, and return the exit code.

    Raises `Refused` if a critical check failed and `Unknown` if a check has no answer, after everything is printed;
    `ConfigError` for wrong settings and an unknown check, and the errors of git.
    """
    with Processes() as processes, processes.guarded():
        context = open_context(target, processes, staged=options.staged, coverage=options.coverage)
        selection = choose(context.settings, options)
        report = run_checks(context, selection.checks, ignored=selection.ignored)
    whole = not options.select
    return check_report.finish(report, as_json=options.as_json, sarif=options.sarif, staged=options.staged, whole=whole)


def choose(settings: Settings, options: CheckOptions) -> Selection:
    """The checks that the options and the settings ask for. Raises `ConfigError` for an unknown one."""
    return select_checks(CHECKS, settings.checks, groups=options.groups, select=options.select, ignore=options.ignore)


def open_context(
    target: TargetOptions, processes: Processes, *, staged: bool = False, coverage: Path | None = None
) -> CheckContext:
    """What checks may use, of the project in the work tree or in the index.

    Raises `ConfigError` for wrong settings, `Refused` if the folder is in no repository.
    """
    sources = ConfigSources(environ=os.environ, config=read_config_file(target.config))
    shell = LocalShell(processes=processes)
    top = GitCheckout(target.folder, shell)
    refuse_links(top.folder)
    source: RepositoryFiles = top.staged_files() if staged else top.work_tree_files()
    seen = top.with_present(source)
    head = _ask_git(seen, source, staged=staged)
    commit = head or _NO_COMMIT
    found = locate(seen, target.folder, sources, named=target.path, tag=None, commit=commit)
    if found.note:
        click.echo(found.note, err=True)
    checkout = top.at(found.path)
    settings = settings_at(seen.at(found.path), commit, sources).settings
    ci = RunContext.from_environ(os.environ)

    def repository() -> str:
        from unmoor.cli.resolve_project import remote_repository  # it imports what a whole run needs

        return ci.repository or remote_repository(checkout) or settings.repository

    @cache
    def services(name: str) -> Services:
        from unmoor.adapters.factory import create_services
        from unmoor.cli.resolve_project import ResolvedProject, open_world

        project = ResolvedProject(
            ci=ci, sources=sources, checkout=checkout, commit=checkout.head(), settings=settings, repository=name
        )
        world = open_world(target.world, project, repository=name, required=False)
        return create_services(world, checkout.folder, processes, path=found.path)

    return CheckContext(
        source=source,
        git=checkout,
        settings=settings,
        path=found.path,
        staged=staged,
        environ=os.environ,
        repository=repository,
        default_branch=lambda: default_branch(os.environ) or checkout.default_branch(),
        programs=lambda: shell,
        linters=lambda: InstalledPrograms(shell=shell, environ=os.environ),
        services=lambda: services(repository()),
        installing=lambda: services(repository() or _NO_REPOSITORY),
        coverage=coverage,
        commit=head,
    )


def _ask_git(git: GitCheckout, source: RepositoryFiles, *, staged: bool) -> str | None:
    """The commit that is checked out. The files remember what checks ask for: two programs take no longer than one."""
    found: list[str | None] = []

    def names() -> None:
        with contextlib.suppress(UnmoorError):  # whoever asks for them gets the error
            source.names()

    def head() -> None:
        found.append(git.head())
        if staged and found[0] is not None:
            with contextlib.suppress(UnmoorError):
                source.changed(found[0])

    for failure in run_parallel((head, names), lambda ask: ask(), width=2):
        raise failure
    return found[0]


def run_list(*, as_json: bool) -> int:
    """Print the checks on stdout."""
    return check_report.print_list(CHECKS, as_json=as_json)
