"""The registries of the local world are real ones, on sockets that only our proxy knows.

There is no port that another program could have taken, and no way around the proxy. They are the
program ``docker-registry`` where this machine has it, else containers of the image ``registry``.
They end with us, ``kill -9`` included.
"""

from __future__ import annotations

import time
from typing import Protocol, Self

from unmoor.errors import TimedOut, Unknown
from unmoor.rehearsal.registry import process
from unmoor.rehearsal.registry.container import Containers
from unmoor.rehearsal.registry.process import PROGRAM, Programs
from unmoor.rehearsal.registry.site import Site

MISSING = (
    f"no {PROGRAM} on the PATH (Debian and Ubuntu: apt-get install {PROGRAM}),"
    " and no container engine with the image registry (docker pull registry:2)"
)
READY = 15.0
TICK, LONGEST = 0.005, 0.1


class Runner(Protocol):
    """What registries are run by."""

    def begin(self, site: Site) -> None:
        """Start one."""

    def ended(self, site: Site) -> bool:
        """Whether it has ended by itself."""

    def stop(self) -> None:
        """End them all."""


def found() -> Runner | None:
    """What can run registries here, ``None`` where nothing can."""
    program = process.found()
    return Programs(program) if program is not None else Containers.found()


class Registries:
    """The registries that were started. A context manager: they are ended at the end of the block."""

    def __init__(self) -> None:
        self.sites: tuple[Site, ...] = ()
        self._runner: Runner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.stop()

    def begin(self, runner: Runner, sites: tuple[Site, ...]) -> None:
        """Start a registry for each site; `wait` says when they can be used."""
        self.sites, self._runner = sites, runner
        for site in sites:
            (site.folder / "socket").unlink(missing_ok=True)
            runner.begin(site)

    def wait(self) -> None:
        """Wait until all of them answer. Raises `Unknown`, with its last words, where one died, and `TimedOut`."""
        deadline = time.monotonic() + READY
        pause = TICK
        for site in self.sites:
            while not site.listens():
                if self._runner is not None and self._runner.ended(site):
                    raise Unknown(
                        f"{PROGRAM} ended before it was ready: {site.last_words()}",
                        where="the local world",
                        next_step=f"see {site.log}",
                    )
                if time.monotonic() > deadline:
                    raise TimedOut(
                        f"{PROGRAM} is not ready after {READY:.0f} s",
                        where="the local world",
                        next_step=f"see {site.log}",
                    )
                time.sleep(pause)
                pause = min(2 * pause, LONGEST)
