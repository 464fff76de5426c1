"""What ``unmoor rehearse`` does: prepare a clone, start a local world, and release into it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import image_selection, session
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedTarget, read_sources, remote_repository, resolve_checkout, resolve_target
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.stage import Reach
from unmoor.errors import ToolMissing, UnmoorError
from unmoor.images.image_names import LOCAL
from unmoor.ports.engine import Engine
from unmoor.rehearsal import local
from unmoor.rehearsal.prepare import Prepared, prepare
from unmoor.util.filelock import exclusive_lock
from unmoor.util.text import clean, indented

PLACE = "rehearsal"


def run(target: TargetOptions, *, without_images: bool, as_json: bool) -> int:
    """Rehearse, and return the exit code."""
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        here = resolve_checkout(target, sources, processes, tag=target.tag)
        place = here.folder / ".unmoor" / PLACE
        RunFolder(place).open()
        with exclusive_lock(place):
            _wipe(place)
            prepared = prepare(here, LocalShell(processes=processes), place, tag=target.tag, sources=sources)
            _tell(prepared)
            repository = remote_repository(here) or session.LOCAL_REPOSITORY
            inside = TargetOptions(folder=prepared.checkout, path=prepared.path, tag=prepared.tag, config=target.config)
            resolved = resolve_target(inside, sources, processes, rehearsing=True)
            hosts = _hosts(resolved, repository)
            hosts = () if without_images else hosts
            with local.start(
                place,
                repository=repository,
                checkout=prepared.checkout,
                file_limit=resolved.settings.max_file_size << 20,
                registry=bool(hosts),
                hosts=hosts or ("ghcr.io",),
            ) as world:
                if world.no_registry:
                    err(f"warning: {world.no_registry}")
                aside = f"{LOCAL}/rehearsal-{sha256(os.fsencode(place)).hexdigest()[:12]}"
                asked = RunOptions(
                    target=replace(inside, world=world.world_file),
                    ceiling=Reach.FINAL,
                    as_json=as_json,
                    rehearsing=True,
                    local_prefix=aside,
                    without_images=without_images,
                    again=_again(target, without_images=without_images),
                )
                opened = session.open_resolved(asked, resolved, processes)
                with _without_images(opened.services.engine, aside) if hosts else nullcontext():
                    report = session.run_session(opened, asked, processes)
        return session.finish(report, opened, asked)


def _again(target: TargetOptions, *, without_images: bool) -> str:
    """The very command."""
    options = [*target.words(), *(["--without-images"] if without_images else [])]
    return shlex.join(["unmoor", "rehearse", *options, *([target.tag] if target.tag else [])])


def _hosts(target: ResolvedTarget, repository: str) -> tuple[str, ...]:
    """Every registry that the world has to have, none without images."""
    wanted = image_selection.configured(
        target.settings, target.checkout, target.commit, repository=repository, without=False
    )
    return image_selection.hosts_of(wanted.images, repository)


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
