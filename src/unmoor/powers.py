"""The powers of a run: one adapter for each port, over one world and one checkout."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.git import GitCheckout
from unmoor.adapters.processes import Processes
from unmoor.adapters.shell import LocalShell
from unmoor.ports.backend import Backend
from unmoor.ports.clock import Clock
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.shell import Shell
from unmoor.world import World


@dataclass(frozen=True, kw_only=True)
class Powers:
    """Everything that stages may be given."""

    git: Git
    shell: Shell
    clock: Clock
    backend: Backend
    environments: Environments
    index: Index
    staging: Index | None
    forge: Forge


def checkout(folder: Path, processes: Processes, *, remote: str = "origin") -> GitCheckout:
    """The repository that a folder lies in. Nothing is read yet."""
    return GitCheckout(folder, LocalShell(processes=processes), remote)


def powers(world: World, folder: Path, processes: Processes) -> Powers:
    """Put the adapters together. Nothing is read or sent yet."""
    from unmoor.adapters.forge import GitHubForge
    from unmoor.adapters.http import BoundedSession
    from unmoor.adapters.index import PackageIndex
    from unmoor.adapters.pep517 import Pep517
    from unmoor.adapters.uv import Uv

    shell = LocalShell(processes=processes)
    building = replace(shell, umask=0o022)
    clock = MonotonicClock(processes=processes)
    http = BoundedSession()
    uv = Uv(shell=building, dependencies=world.dependencies)
    return Powers(
        git=GitCheckout(folder, shell, world.remote, environ=os.environ),
        shell=shell,
        clock=clock,
        backend=Pep517(shell=building, uv=uv),
        environments=uv,
        index=PackageIndex(world.index, http, clock),
        staging=PackageIndex(world.staging, http, clock) if world.staging else None,
        forge=GitHubForge(world.forge, http, clock),
    )
