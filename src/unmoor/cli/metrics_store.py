"""Open the store of records of a project, for every command of ``unmoor metrics``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from unmoor import advice
from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.config.metrics import STORE, STORE_WORDS
from unmoor.errors import ConfigError
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import OWN
from unmoor.metrics.store.folder import FolderFiles
from unmoor.metrics.store.records_store import RecordStore
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions
    from unmoor.ports.record_files import RecordFiles
    from unmoor.ports.world import World

# No tag begins with a dot, so this is no folder of a run.
_CACHE: Final = ".metrics"


class MetricsProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project, its world and its records. ``world`` is ``None`` only if no forge is needed and none is named."""

    project: ResolvedProject
    world: World | None
    store: RecordStore


def open_metrics(
    target: TargetOptions, processes: Processes, *, store: str | None = None, forge: bool = False
) -> MetricsProject:
    """Open the project of a command and the store that the settings of its last commit name, or ``store``.

    ``forge`` requires a repository on the forge, as a store on a branch does. Raises `Refused` without one, and
    `ConfigError` for wrong settings. Sends nothing yet.
    """
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    project = resolve_project(checkout, checkout.head(), sources, RunContext.from_environ(os.environ))
    place = project.settings.metrics.store if store is None else store
    if not STORE.fullmatch(place):
        raise ConfigError(
            f"{clean(place, 100)!r} is no store: {STORE_WORDS}", where="--store", next_step=advice.NAME_STORE()
        )
    kind, _, name = place.partition(":")
    needed = forge or kind == "branch"
    world = (
        open_world(target.world, project, repository=project.repository, required=needed)
        if needed or target.world is not None or project.repository
        else None
    )
    clock = MonotonicClock(processes=processes)
    if kind == "branch" and world is not None:
        files = _branch(world, processes, name, checkout.folder)
    else:
        files = FolderFiles(folder=checkout.folder / checkout.path / Path(name).expanduser())
    return MetricsProject(project=project, world=world, store=RecordStore(files=files, clock=clock))


def _branch(world: World, processes: Processes, branch: str, top: Path) -> RecordFiles:
    from unmoor.adapters.factory import open_branch_files

    ignore = top / OWN / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, b"*\n")
    return open_branch_files(world, processes, branch, cache=top / OWN / _CACHE)
