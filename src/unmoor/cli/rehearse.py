"""``unmoor rehearse``: the release itself, in a local world."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path

import click

from unmoor.adapters.factory import open_checkout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import repository_of
from unmoor.cli import image_selection, session
from unmoor.cli.help import examples
from unmoor.cli.options import config_option, directory_option, json_option, path_option
from unmoor.cli.output import err
from unmoor.cli.resolve_project import resolve_project
from unmoor.cli.run_options import RunOptions
from unmoor.config.config_file import read_config_file
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach
from unmoor.errors import ToolMissing, UnmoorError
from unmoor.images.image_names import LOCAL
from unmoor.ports.engine import Engine
from unmoor.project.locate import ConfigSources, settings_at
from unmoor.rehearsal import local
from unmoor.rehearsal.prepare import Prepared, prepare
from unmoor.util.filelock import exclusive_lock
from unmoor.util.text import clean, indented

PLACE = "rehearsal"


@click.command(
    short_help="Release into a local world: every stage, the irreversible ones too.",
    epilog=examples("unmoor rehearse", "unmoor rehearse v2.0.0rc1", "unmoor rehearse --without-images"),
)
@click.argument("tag", required=False)
@directory_option
@path_option
@config_option
@click.option("--without-images", is_flag=True, help="Leave container images out, where there is no engine.")
@json_option
def command(
    *, tag: str | None, folder: Path, path: str | None, config: Path | None, without_images: bool, as_json: bool
) -> int:
    """Rehearse the release of TAG, all of it, on this machine.

    A local world is started: two package indexes, a GitHub API and a git remote, and a container
    registry where the project has images. They refuse what the real ones refuse, and every stage runs
    against them. TAG need not exist: a missing tag is made in the world's own clone only. Without TAG
    it is the version that the project's files say, or the next one if another commit is tagged with
    that; where the version comes from tags, the tag on HEAD or the next version.

    The checkout is not touched. The world's files stay in .unmoor/rehearsal/ until the next one; images
    that were built go from the engine at the end, and the builder's cache stays.
    """
    with Processes() as processes, processes.guarded():
        around = ConfigSources(environ=os.environ, config=read_config_file(config))
        here = resolve_project(folder, path, around, processes, tag=tag)
        place = here.folder / ".unmoor" / PLACE
        RunFolder(place).open()
        with exclusive_lock(place):
            _wipe(place)
            prepared = prepare(here, LocalShell(processes=processes), place, tag=tag, config=around.config)
            _tell(prepared)
            repository = repository_of(here.remote() or "") or session.LOCAL_REPOSITORY
            settings, hosts = _needed(prepared, repository, processes, around)
            hosts = () if without_images else hosts
            with local.start(
                place,
                repository=repository,
                checkout=prepared.checkout,
                file_limit=settings.max_file_size << 20,
                registry=bool(hosts),
                hosts=hosts or ("ghcr.io",),
            ) as world:
                if world.no_registry:
                    err(f"warning: {world.no_registry}")
                aside = f"{LOCAL}/rehearsal-{sha256(os.fsencode(place)).hexdigest()[:12]}"
                asked = RunOptions(
                    folder=prepared.checkout,
                    path=prepared.path,
                    tag=prepared.tag,
                    world=world.world_file,
                    config=config,
                    ceiling=Reach.FINAL,
                    as_json=as_json,
                    rehearsing=True,
                    local_prefix=aside,
                    without_images=without_images,
                    again=_again(folder, path, tag, config, without_images=without_images),
                )
                opened = session.open_session(asked, processes)
                with _without_images(opened.services.engine, aside) if hosts else nullcontext():
                    report = session.run_session(opened, asked, processes)
        return session.finish(report, opened, asked)


def _again(folder: Path, path: str | None, tag: str | None, config: Path | None, *, without_images: bool) -> str:
    """The very command."""
    options = ["--directory", str(folder)] if folder != Path() else []
    options += ["--path", path] if path is not None else []
    options += ["--config", str(config)] if config else []
    options += ["--without-images"] if without_images else []
    return shlex.join(["unmoor", "rehearse", *options, *([tag] if tag else [])])


def _needed(
    prepared: Prepared, repository: str, processes: Processes, around: ConfigSources
) -> tuple[Settings, tuple[str, ...]]:
    """The settings that the world has to suit, and every registry that it has to have, none without images."""
    git = open_checkout(prepared.checkout, processes).at(prepared.path)
    commit = git.commit_of(prepared.tag)
    settings = settings_at(git, commit, around).settings
    images = image_selection.configured(settings, git, commit, repository=repository, without=False).images
    return settings, image_selection.hosts_of(images, repository)


@contextmanager
def _without_images(engine: Engine, prefix: str) -> Iterator[None]:
    """Leave no image of a rehearsal in the engine, also of one that was killed before.

    They have names of their own: a release of the same commit may need its images later.
    """
    _forget(engine, prefix)
    try:
        yield
    finally:
        _forget(engine, prefix)


def _forget(engine: Engine, prefix: str) -> None:
    try:
        engine.forget(prefix)
    except ToolMissing:
        pass  # without an engine there are no images, which the stage that builds them tells
    except UnmoorError as error:
        err(f"warning: images may be left in the engine, named {prefix}/…: {error}")


def _wipe(place: Path) -> None:
    """Start from nothing: what the last rehearsal left would be found, and nothing would be tested."""
    for entry in place.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != "run.lock":
            entry.unlink()


def _tell(prepared: Prepared) -> None:
    for line in prepared.said:
        err(clean(line, limit=500))
    for line in prepared.diff.splitlines():
        err(f"  {indented(line, limit=200)}")
    if prepared.uncommitted:
        err("warning: changes that are not committed take no part in the rehearsal:")
        for path in prepared.uncommitted:
            err(f"  {clean(path)}")
