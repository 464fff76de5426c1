"""The registry of the local world is a real one: ``docker-registry``, on a socket that only our proxy knows.

It listens on a Unix socket, so there is no port that another program could have taken, and no way
around the proxy. A keeper (``adapters.keeper``) ends it when we are gone, ``kill -9`` included.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from unmoor.adapters.processes import start_keeper
from unmoor.errors import Overdue, Unknown
from unmoor.files import write_whole
from unmoor.rehearsal.tokens import ISSUER

PROGRAM = "docker-registry"
MISSING = f"no {PROGRAM} on the PATH (Debian and Ubuntu: apt-get install {PROGRAM})"
READY = 15.0
STOP = 3.0
TICK = 0.005
WORDS = 1000
_MARK = "UNMOOR_REGISTRY"


def found() -> str | None:
    """Where the program is, ``None`` where there is none."""
    return shutil.which(PROGRAM)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The folder of one registry: ``storage``, what it needs to run, and its control files."""

    folder: Path
    host: str

    @property
    def repositories(self) -> Path:
        """Where the registry keeps its repositories, each in a folder of its name."""
        return self.folder / "storage" / "docker" / "registry" / "v2" / "repositories"

    @property
    def socket(self) -> str:
        """The socket's path, relative to the current folder where it lies below: the system allows 107 bytes."""
        path = self.folder / "socket"
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

    def configure(self, *, address: str, certificate: bytes) -> None:
        """Write what the registry reads at its start; ``address`` is the proxy's."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        bundle = self.folder / "root.pem"
        settings = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "storage")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            # With the host, the addresses in its answers are the proxy's.
            "http": {"net": "unix", "addr": "socket", "host": address, "secret": secrets.token_hex(16)},
            "auth": {
                "token": {
                    "realm": f"{address}/token",
                    "service": self.host,
                    "issuer": ISSUER,
                    "rootcertbundle": str(bundle),
                }
            },
        }
        write_whole(bundle, certificate)
        # Every JSON text is a YAML text.
        write_whole(self.folder / "config.yml", json.dumps(settings, indent=1).encode(), mode=0o600)


@dataclass
class Registries:
    """The registries that were started, and their keeper. A context manager: they are ended at the end of the block."""

    sites: tuple[Site, ...] = ()
    _running: dict[Site, subprocess.Popen[bytes]] = field(default_factory=dict)
    _keeper: subprocess.Popen[bytes] | None = None
    _mark: str = field(default_factory=lambda: f"{_MARK}={secrets.token_hex(16)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def begin(self, program: str, sites: tuple[Site, ...]) -> None:
        """Start a registry for each site; `wait` says when they can be used."""
        self.sites = sites
        self._keeper = start_keeper(self._mark)
        # Each variable REGISTRY_… would overrule a line of the configuration.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        environ |= dict([self._mark.split("=")])
        for site in sites:
            (site.folder / "socket").unlink(missing_ok=True)
            with (site.folder / "registry.log").open("wb") as log:
                self._running[site] = subprocess.Popen(
                    [program, "serve", "config.yml"],
                    cwd=site.folder,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._tell(f"+{self._running[site].pid}\n")

    def wait(self) -> None:
        """Wait until all of them answer. Raises `Unknown`, with its last words, where one died, and `Overdue`."""
        deadline = time.monotonic() + READY
        for site, process in self._running.items():
            while not _listens(site):
                log = site.folder / "registry.log"
                if process.poll() is not None:
                    raise Unknown(
                        f"{PROGRAM} ended before it was ready: {_last_words(log)}",
                        where="the local world",
                        next_step=f"see {log}",
                    )
                if time.monotonic() > deadline:
                    raise Overdue(
                        f"{PROGRAM} is not ready after {READY:.0f} s",
                        where="the local world",
                        next_step=f"see {log}, then run again",
                    )
                time.sleep(TICK)

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
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    def _tell(self, line: str) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._keeper.stdin.write(line.encode())


def _listens(site: Site) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(site.socket)
        except OSError:
            return False
    return True


def _last_words(log: Path) -> str:
    """What the registry wrote last, fit for a terminal."""
    text = log.read_bytes()[-WORDS:].decode(errors="replace")
    return "".join(char if char.isprintable() else " " for char in text).strip() or "it said nothing"
