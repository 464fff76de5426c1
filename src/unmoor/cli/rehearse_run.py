"""Run ``unmoor rehearse``: prepare a clone, start a local world, and release into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.factory import open_checkout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import this_system
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import built_elsewhere
from unmoor.cli.local_servers import servers_of
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedTarget, read_sources, remote_repository, resolve_checkout, resolve_target
from unmoor.cli.run_options import FileOptions, RunOptions, TargetOptions
from unmoor.core.stage import Reach
from unmoor.errors import UnmoorError
from unmoor.filesystem import commands
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import OWN, make_private, names_in, remove
from unmoor.images.image_names import LOCAL
from unmoor.ports.engine import Engine
from unmoor.rehearsal import local
from unmoor.util.text import clean, indented
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.git.checkout import GitCheckout
    from unmoor.cli.built_elsewhere import BuiltElsewhere
    from unmoor.project.locate import ConfigSources
    from unmoor.rehearsal.prepare import Prepared

FOLDER = "rehearsal"
"""The folder of a rehearsal in ``.unmoor``."""


def run(target: TargetOptions, files: FileOptions, *, without_images: bool, as_json: bool) -> int:
    """Rehearse, and return the exit code. The advice of an error is that for a rehearsal."""
    try:
        return _run(target, files, without_images=without_images, as_json=as_json)
    except UnmoorError as error:
        rehearsed = error.in_rehearsal()
        if rehearsed is error:
            raise
        raise rehearsed from error


def _run(target: TargetOptions, files: FileOptions, *, without_images: bool, as_json: bool) -> int:
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        given = built_elsewhere.read(files, open_checkout(target.folder, processes).folder, tag=target.tag)
        here = resolve_checkout(target, sources, processes, tag=given.tag)
        folder = here.folder / OWN / FOLDER
        built_elsewhere.refuse_inside(files, folder)
        make_private(folder)
        RunFolder(folder).open()
        with exclusive_lock(folder):
            _remove_last_rehearsal(folder)
            with local.Beginning(folder) as servers:
                # Most modules of unmoor, which load here while the servers load theirs.
                from unmoor.cli import session

                prepared = prepared_clone(here, folder, processes, given, sources)
                inside = TargetOptions(
                    folder=prepared.checkout, path=prepared.path, tag=prepared.tag, config=target.config
                )
                resolved = resolve_target(inside, sources, processes, rehearsing=True)
                repository = remote_repository(here) or resolved.repository or session.LOCAL_REPOSITORY
                hosts = () if without_images or not this_system().images else registry_hosts(resolved, repository)
                besides = servers_of(resolved.settings, os.environ)
                with servers.serve(
                    repository=repository,
                    checkout=prepared.checkout,
                    file_limit=resolved.settings.max_file_size << 20,
                    registry=bool(hosts),
                    hosts=hosts or ("ghcr.io",),
                    any_platform=True,
                    tag=prepared.tag,
                    announce=besides.announce,
                    deployments=besides.deployments,
                ) as world:
                    _warn(world.no_registry)
                    key = other_key(resolved.settings.sign_with, folder, processes)
                    prefix = f"{LOCAL}/rehearsal-{sha256(os.fsencode(folder)).hexdigest()[:12]}"
                    options = RunOptions(
                        target=replace(inside, world=world.world_file),
                        ceiling=Reach.FINAL,
                        as_json=as_json,
                        rehearsing=True,
                        uncommitted=tuple(prepared.uncommitted),
                        # The archives of legs name their images as a release does.
                        local_prefix=LOCAL if files.legs else prefix,
                        without_images=without_images,
                        sign_with=key,
                        files=files,
                        belief=given.belief,
                        command=_same_command(target, files, without_images=without_images),
                        changed_command=_changed_command(here, target, files, without_images=without_images),
                        reports_as="rehearse",
                        report_folder=folder,
                    )
                    opened = session.open_resolved(options, resolved, processes)
                    with removed_images(opened.services.engine, prefix) if hosts else nullcontext():
                        report = session.run_session(opened, options, processes)
            if resolved.settings.announce is not None:
                _show_caught(folder)
        return session.finish(report, opened, options)


def _warn(text: str) -> None:
    if text:
        err(f"warning: {text}")


def prepared_clone(
    here: GitCheckout, folder: Path, processes: Processes, given: BuiltElsewhere, sources: ConfigSources
) -> Prepared:
    """Prepare the clone, and print what that did."""
    from unmoor.rehearsal.prepare import prepare

    shell = LocalShell(processes=processes)
    prepared = prepare(here, shell, folder, tag=given.tag, built=given.built, sources=sources)
    for line in prepared.messages:
        err(clean(line, limit=500))
    for line in prepared.diff.splitlines():
        err(f"  {indented(line, limit=200)}")
    if prepared.uncommitted:
        err("warning: the rehearsal ignores uncommitted changes:")
        for path in prepared.uncommitted:
            err(f"  {clean(path)}")
    return prepared


def other_key(sign_with: str, folder: Path, processes: Processes) -> str:
    """Make a key to use instead of the one in the settings, if there is one."""
    if not sign_with:
        return ""
    from unmoor.rehearsal.release_key import make_key

    err(f"the rehearsal signs with a new key instead of {clean(sign_with)}")
    return make_key(folder, LocalShell(processes=processes))


def _same_command(target: TargetOptions, files: FileOptions, *, without_images: bool) -> str:
    """Return the command line of this rehearsal."""
    options = [*target.arguments(), *files.arguments(), *(["--without-images"] if without_images else [])]
    return commands.join(["unmoor", "rehearse", *options, *([target.tag] if target.tag else [])])


def _changed_command(here: GitCheckout, target: TargetOptions, files: FileOptions, *, without_images: bool) -> str:
    """Return the command line after a new commit: a tag that exists would still name the old one."""
    later = replace(target, tag=None) if target.tag in here.tags() else target
    return _same_command(later, files, without_images=without_images)


def registry_hosts(target: ResolvedTarget, repository: str) -> tuple[str, ...]:
    """Return the registries that the world needs, none if the project has no images."""
    from unmoor.cli import image_selection

    selection = image_selection.select_configured(
        target.settings, target.checkout, target.commit, repository=repository, without=False
    )
    return image_selection.registry_hosts(selection.images, repository)


def _show_caught(folder: Path) -> None:
    """Print the messages that the rehearsal's targets caught, as people would get them."""
    from unmoor.rehearsal.announce.targets import caught

    for message in caught(folder):
        err(f"message to {clean(message.target)} ({clean(message.kind)}): {clean(message.title)}")
        for line in message.text.splitlines():
            err(f"  {indented(line, limit=200)}")


@contextmanager
def removed_images(engine: Engine, prefix: str) -> Iterator[None]:
    """Remove the images of this rehearsal from the engine, and those of an earlier one that was killed.

    The prefix separates them from the images of a release, which may need its own again later.
    """
    from unmoor.cli.image_selection import forget_images

    forget_images(engine, prefix)
    try:
        yield
    finally:
        forget_images(engine, prefix)


def _remove_last_rehearsal(folder: Path) -> None:
    """Remove the files of the last rehearsal. If they stayed, this one would find them and test nothing."""
    for name in names_in(folder):
        if name != "run.lock":
            remove(folder / name)
