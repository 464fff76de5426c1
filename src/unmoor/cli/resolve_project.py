"""Resolve what a command works on: the project in the repository, the tag, the settings and the world.

A command resolves these once and passes them on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext, repository_of
from unmoor.config.config_file import read_config_file
from unmoor.config.settings import Settings
from unmoor.errors import Refused
from unmoor.filesystem.safe_folder import refuse_links
from unmoor.project.locate import ConfigSources, locate, naming_at, settings_at
from unmoor.project.releasable import tag_on_head
from unmoor.util.text import clean
from unmoor.versioning.tag_scheme import refuse_unsafe

if TYPE_CHECKING:
    from unmoor.cli.target_options import TargetOptions
    from unmoor.ports.world import World


class ResolvedProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project at a commit.

    ``commit`` is ``None`` in an empty repository. Paths in ``checkout`` are relative to the project's folder.
    ``repository`` is ``owner/name`` on the forge, empty if the run, the remote and the settings do not name it.
    """

    ci: RunContext
    sources: ConfigSources
    checkout: GitCheckout
    commit: str | None
    settings: Settings
    repository: str


class ResolvedTarget(ResolvedProject, frozen=True, kw_only=True):
    """A tag of a project. The settings are those of the tag's commit, or of HEAD if the tag does not exist.

    ``named`` is true if the user or the CI named the tag, false if it was found on HEAD.
    """

    tag: str
    named: bool


def read_sources(config: Path | None = None) -> ConfigSources:
    """Return the settings that do not come from the commit: the environment and a file. Raises `ConfigError`."""
    return ConfigSources(environ=os.environ, config=read_config_file(config))


def resolve_target(
    target: TargetOptions, sources: ConfigSources, processes: Processes, *, rehearsing: bool = False
) -> ResolvedTarget:
    """Find the project and the tag. If ``rehearsing``, the tag and the repository of the CI run are ignored.

    Raises `Refused` if there is no such project or no tag, `ConfigError` for wrong settings, and the errors of git.
    """
    ci = RunContext() if rehearsing else RunContext.from_environ(os.environ)
    named = target.tag if target.tag is not None else ci.tag or None
    checkout = resolve_checkout(target, sources, processes, tag=named)
    tag = named if named is not None else tag_on_head(checkout, lambda head: naming_at(checkout, head, sources))
    project = resolve_project(checkout, checkout.commit_of(tag) or checkout.head(), sources, ci)
    return ResolvedTarget(**msgspec.structs.asdict(project), tag=tag, named=named is not None)


def resolve_checkout(
    target: TargetOptions, sources: ConfigSources, processes: Processes, *, tag: str | None
) -> GitCheckout:
    """Return the checkout, with paths relative to the project's folder.

    Raises `Refused` or `ConfigError` if `unmoor.project.locate.locate` finds no project or several, and `Refused` if
    a link is in ``.unmoor``.
    """
    top = GitCheckout(target.folder, LocalShell(processes=processes))
    refuse_links(top.folder)
    if tag is not None:
        refuse_unsafe(tag)
    commit = (top.commit_of(tag) if tag is not None else None) or top.head()
    found = locate(top, target.folder, sources, named=target.path, tag=tag, commit=commit)
    if found.note:
        click.echo(found.note, err=True)
    return top.at(found.path)


def resolve_project(
    checkout: GitCheckout, commit: str | None, sources: ConfigSources, ci: RunContext
) -> ResolvedProject:
    """Read the settings of a project at a commit, and determine its repository. Raises `ConfigError`."""
    settings = settings_at(checkout, commit, sources).settings
    return ResolvedProject(
        ci=ci,
        sources=sources,
        checkout=checkout,
        commit=commit,
        settings=settings,
        repository=ci.repository or remote_repository(checkout) or settings.repository,
    )


def remote_repository(checkout: GitCheckout) -> str:
    """Return ``owner/name`` from the git remote, empty if the remote is not on the forge.

    The user's ``url.*.insteadOf`` may replace the forge by a mirror: then the address counts as it is written.
    """
    return repository_of(checkout.remote() or "") or repository_of(checkout.written_remote() or "")


def open_world(file: Path | None, project: ResolvedProject, *, repository: str, required: bool = True) -> World:
    """Return the world in a world file, or the real world if ``file`` is ``None``.

    Raises `Refused` if the real world is ``required`` to have a repository and there is none.
    """
    # Commands that ask no server need none of them.
    from unmoor.config.worlds import read_world, real_world
    from unmoor.ports.world import Trusted

    trusted = Trusted(project.settings.trusted_publishing)
    if file is not None:
        return read_world(file, os.environ, repository=repository, trusted=trusted)
    if required and not repository:
        raise _no_repository(project.checkout)
    return real_world(repository, os.environ, trusted=trusted)


def _no_repository(git: GitCheckout) -> Refused:
    """Return the error for a repository that the run, the remote and the settings do not name."""
    remote = git.remote()
    why = f"the git remote {clean(remote)} is not on GitHub" if remote else "there is no git remote"
    return Refused(
        f"cannot determine which repository on the forge this is: {why}",
        where=str(git.folder),
        next_step=advice.NAME_REPOSITORY(),
    )
