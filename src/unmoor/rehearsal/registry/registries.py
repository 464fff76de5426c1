"""Start the registries of the local world: real ones, on sockets that only the proxy uses.

So no other program can have taken a port, and there is no way around the proxy. They are processes of the program
``docker-registry`` if this machine has it, else containers of the image ``registry``. They end with this process,
even on ``kill -9``.
"""

from __future__ import annotations

import time
from typing import Protocol, Self

from unmoor import advice
from unmoor.errors import TimedOut, Unknown
from unmoor.filesystem.safe_folder import remove
from unmoor.rehearsal.registry import process
from unmoor.rehearsal.registry.container import Containers
from unmoor.rehearsal.registry.process import PROGRAM, Programs
from unmoor.rehearsal.registry.site import Site

MISSING = (
    f"no {PROGRAM} on the PATH (Debian and Ubuntu: apt-get install {PROGRAM}),"
    " and no container engine outside a virtual machine with the image registry (docker pull registry:2)"
)
READY = 15.0
TICK, LONGEST = 0.005, 0.1


class Runner(Protocol):
    """Runs registries."""

    def begin(self, site: Site) -> None:
        """Start the registry of a site."""

    def ended(self, site: Site) -> bool:
        """Whether the registry of a site has exited by itself."""

    def stop(self) -> None:
        """Stop all registries."""


def find_runner() -> Runner | None:
    """Find what can run registries on this machine; ``None`` if nothing can."""
    program = process.find_program()
    return Programs(program) if program is not None else Containers.find()


class Registries:
    """The started registries. As a context manager it stops them at the end of the block."""

    def __init__(self) -> None:
        self.sites: tuple[Site, ...] = ()
        self._runner: Runner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.stop()

    def begin(self, runner: Runner, sites: tuple[Site, ...]) -> None:
        """Start a registry for each site; use them after `wait`."""
        self.sites, self._runner = sites, runner
        for site in sites:
            remove(site.folder / "socket")
            runner.begin(site)

    def wait(self) -> None:
        """Wait until all registries answer. Raises `Unknown`, with the end of its log, if one exited; `TimedOut`."""
        deadline = time.monotonic() + READY
        pause = TICK
        for site in self.sites:
            while not site.listens():
                if self._runner is not None and self._runner.ended(site):
                    raise Unknown(
                        f"{PROGRAM} exited before it was ready: {site.end_of_log()}",
                        where="the local world",
                        next_step=advice.SEE_LOG(log=site.log),
                    )
                if time.monotonic() > deadline:
                    raise TimedOut(
                        f"{PROGRAM} is not ready after {READY:.0f} s",
                        where="the local world",
                        next_step=advice.SEE_LOG(log=site.log),
                    )
                time.sleep(pause)
                pause = min(2 * pause, LONGEST)
