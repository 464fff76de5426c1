"""The registry as a program of this machine: ``docker-registry``, a process for each site.

A keeper (``adapters.keeper``) ends them when we are gone, ``kill -9`` included.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field

from unmoor.adapters.process.supervisor import start_reaper
from unmoor.rehearsal.registry.site import Site

PROGRAM = "docker-registry"
STOP = 3.0
_MARK = "UNMOOR_REGISTRY"


def found() -> str | None:
    """Where the program is, ``None`` where there is none."""
    return shutil.which(PROGRAM)


@dataclass
class Programs:
    """The processes of registries, and their keeper."""

    program: str
    _running: dict[Site, subprocess.Popen[bytes]] = field(default_factory=dict)
    _reaper: subprocess.Popen[bytes] | None = None
    _mark: str = field(default_factory=lambda: f"{_MARK}={secrets.token_hex(16)}")

    def begin(self, site: Site) -> None:
        """Start one."""
        if self._reaper is None:
            self._reaper = start_reaper(self._mark)
        # Each variable REGISTRY_… would overrule a line of the configuration.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        environ |= dict([self._mark.split("=")])
        with site.log.open("wb") as log:
            self._running[site] = subprocess.Popen(
                [self.program, "serve", "config.yml"],
                cwd=site.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._tell(f"+{self._running[site].pid}\n")

    def ended(self, site: Site) -> bool:
        """Whether it has ended by itself."""
        return self._running[site].poll() is not None

    def stop(self) -> None:
        """End them all, and wait for it."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP)
            process.kill()
            process.wait()
            self._tell(f"-{process.pid}\n")
        self._running.clear()
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
            self._reaper = None

    def _tell(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._reaper.stdin.write(line.encode())
