"""Run the registry as a program of this machine: ``docker-registry``, one process for each site.

The processes end with this one, even if it is killed (`unmoor.adapters.process.supervisor`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

from unmoor.adapters.process.process_system import Child
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.variables import server_variables
from unmoor.rehearsal.registry.site import Site

PROGRAM = "docker-registry"
STOP = 3.0


def find_program() -> str | None:
    """Return the path of the program; ``None`` if it is not installed."""
    return shutil.which(PROGRAM)


@dataclass
class Programs:
    """The processes of registries."""

    program: str
    _processes: Processes = field(default_factory=Processes)
    _running: dict[Site, Child] = field(default_factory=dict)

    def begin(self, site: Site) -> None:
        """Start a process. Raises `ToolMissing`."""
        # A variable REGISTRY_… would override a line of the configuration.
        environ = server_variables(os.environ)
        args = [self.program, "serve", "config.yml"]
        self._running[site] = self._processes.start(args, cwd=site.folder, env=environ, log=site.log)

    def ended(self, site: Site) -> bool:
        """Whether the process has exited by itself."""
        return self._running[site].ended()

    def stop(self) -> None:
        """Stop all processes, and wait for them."""
        for child in self._running.values():
            self._processes.end(child, grace=STOP)
        self._running.clear()
        self._processes.close()
