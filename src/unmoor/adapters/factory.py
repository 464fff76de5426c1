"""The powers of a run: one adapter for each port, over one world and one checkout."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.ports.backend import Backend
from unmoor.ports.clock import Clock
from unmoor.ports.engine import Engine
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.shell import Shell
from unmoor.ports.world import IndexPlace, World

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that stages may be given."""

    git: Git
    shell: Shell
    clock: Clock
    backend: Backend
    environments: Environments
    index: Index
    staging: Index | None
    forge: Forge
    engine: Engine
    registry: Callable[[str], Registry]
    packages: Callable[[str], Packages | None]


def open_checkout(folder: Path, processes: Processes, *, remote: str = "origin") -> GitCheckout:
    """The repository that a folder lies in. Nothing is read yet."""
    return GitCheckout(folder, LocalShell(processes=processes), remote)


def create_services(world: World, folder: Path, processes: Processes, *, path: str = "") -> Services:
    """Put the adapters together; git is seen from ``path``. Nothing is read or sent yet."""
    from unmoor.adapters import registry
    from unmoor.adapters.engine import DockerEngine
    from unmoor.adapters.forge import GitHubForge
    from unmoor.adapters.http.session import BoundedSession
    from unmoor.adapters.pep517 import Pep517
    from unmoor.adapters.uv import Uv

    shell = LocalShell(processes=processes)
    building = replace(shell, umask=0o022)
    clock = MonotonicClock(processes=processes)
    http = BoundedSession()
    uv = Uv(shell=building, dependencies=world.dependencies)
    return Services(
        git=GitCheckout(folder, shell, world.remote, path=path, environ=os.environ),
        shell=shell,
        clock=clock,
        backend=Pep517(shell=building, uv=uv),
        environments=uv,
        index=_index(world.index, http, clock),
        staging=_index(world.staging, http, clock) if world.staging else None,
        forge=GitHubForge(world.forge, http, clock),
        engine=DockerEngine(shell=shell, processes=processes),
        registry=lambda name: registry.open_registry(name, world, http, clock),
        packages=lambda name: registry.packages_of(name, world, http, clock),
    )


def _index(place: IndexPlace, http: BoundedSession, clock: Clock) -> Index:
    from unmoor.adapters.index import PackageIndex
    from unmoor.adapters.index.trusted import TrustedPublishing

    trusted = TrustedPublishing(place=place, http=http, clock=clock, environ=os.environ)
    return PackageIndex(place, http, clock, trusted)
