"""Run ``unmoor verify-rebuild``: find the release and its commit, build that, and print how the files compare."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from unmoor import advice
from unmoor.adapters.factory import create_services
from unmoor.adapters.git.clone import fetch_clone
from unmoor.adapters.git.program import GitProgram
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import output, session
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedTarget, open_world, read_sources, resolve_target
from unmoor.cli.run_options import TargetOptions
from unmoor.config.addresses import REPOSITORY
from unmoor.config.worlds import read_world, real_world
from unmoor.dists.building import DistBuilder
from unmoor.errors import Refused
from unmoor.filesystem.commands import quote
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.world import World
from unmoor.publish.rebuild_check import (
    CODES,
    Rebuilt,
    RebuiltFile,
    check_rebuild,
    options_of,
    published_manifest,
    release_of,
    worst,
)
from unmoor.publish.restore import Surfaces
from unmoor.util.text import clean, indented
from unmoor.util.values import replace
from unmoor.versioning.tag_scheme import refuse_unsafe


class RebuildDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``verify-rebuild --json``."""

    tag: str
    version: str
    commit: str
    repository: str
    world: str
    state: Rebuilt
    files: tuple[RebuiltFile, ...]


class _Place(NamedTuple):
    """A checkout with the tag, and the repository that the user named, empty if it is the checkout's own."""

    target: TargetOptions
    repository: str = ""


def run(target: TargetOptions, *, as_json: bool) -> int:
    """Compare, print the result on stdout and return the exit code."""
    with Processes() as processes, processes.guarded(), temporary_folder() as aside:
        place = _place(target, aside / "clone", processes)
        resolved = resolve_target(place.target, read_sources(target.config), processes)
        world = _world(place, resolved)
        services = create_services(world, place.target.folder, processes, path=resolved.checkout.path)
        commit = resolved.checkout.commit_of(resolved.tag)
        if commit is None:
            raise Refused(
                f"there is no tag {clean(resolved.tag)} here",
                where=str(resolved.checkout.folder),
                next_step=advice.FETCH_TAG(tag=quote(resolved.tag)),
            )
        there, manifest = published_manifest(services.forge, resolved.tag)
        if manifest.path != resolved.checkout.path:
            inside = replace(place.target, path=manifest.path or ".")
            resolved = resolve_target(inside, resolved.sources, processes)
            services = create_services(world, place.target.folder, processes, path=resolved.checkout.path)
        release = release_of(
            manifest,
            tag=resolved.tag,
            commit=commit,
            date=services.git.date_of(commit),
            settings=resolved.sources.config.origin if resolved.sources.config is not None else "",
            where=there.url,
        )
        options = options_of(manifest, resolved.settings.building)
        files = check_rebuild(
            manifest,
            release,
            there,
            Surfaces(forge=services.forge, index=services.index, staging=None),
            builder=DistBuilder(
                git=services.git,
                backend=services.backend.under(options.constraints),
                environments=services.environments.under(options.constraints),
                options=options,
            ),
            folder=RunFolder(aside / "run" / "files"),
            say=lambda text: err(clean(text, limit=500)),
            warn=_warn,
        )
    state = worst(files)
    if as_json:
        session.echo_json(
            RebuildDocument(
                tag=release.tag,
                version=release.version,
                commit=release.commit,
                repository=release.repository,
                world=world.name,
                state=state,
                files=files,
            )
        )
    else:
        _print(files)
    err(f"{clean(release.tag)} at {release.commit[:12]}: {_WORDS[state]}")
    return CODES[state]


_WORDS = {
    Rebuilt.SAME: "a build of the commit gives the published bytes",
    Rebuilt.DIFFERENT: "a build of the commit gives other bytes",
    Rebuilt.UNKNOWN: "it is not known whether a build of the commit gives the published bytes",
}


def _warn(text: str) -> None:
    """Show a warning with all its lines."""
    first, *more = text.splitlines() or [""]
    err(f"warning: {clean(first, limit=500)}")
    for line in more:
        err(f"  {indented(line)}")


def _print(files: tuple[RebuiltFile, ...]) -> None:
    rows = [(file.state, file.name, file.sha256, file.note) for file in files]
    for line in output.align_columns(("state", "file", "sha256", ""), rows):
        click.echo(line)
    for file in files:
        for line in file.differences:
            click.echo(f"{clean(file.name)}: {indented(line)}")


def _place(target: TargetOptions, into: Path, processes: Processes) -> _Place:
    """The checkout: the user's, or a clone of the repository that is named in place of one. Raises `Unknown`."""
    repository, _, tag = (target.tag or "").partition("@")
    if not tag or re.match(REPOSITORY, repository) is None:
        return _Place(target)
    refuse_unsafe(tag)
    world = (
        read_world(target.world, os.environ, repository=repository)
        if target.world is not None
        else real_world(repository, os.environ)
    )
    address = world.remote if target.world is not None else f"{world.forge.site}/{repository}.git"
    err(f"cloning {clean(address)}")
    fetch_clone(GitProgram(shell=LocalShell(processes=processes), environ=os.environ), address, into)
    return _Place(replace(target, folder=into, tag=tag), repository)


def _world(place: _Place, resolved: ResolvedTarget) -> World:
    repository = place.repository or resolved.repository
    return open_world(place.target.world, resolved, repository=repository)
