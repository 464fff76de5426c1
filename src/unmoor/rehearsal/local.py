"""The parent's side of a local world: start it, wait until it is ready, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from unmoor import advice
from unmoor.adapters.process.servers import Server
from unmoor.adapters.process.variables import server_variables
from unmoor.advice import NextStep
from unmoor.errors import TimedOut, Unknown, error_classes
from unmoor.filesystem.safe_folder import make_private, open_in_place, open_regular, remove
from unmoor.util.concurrency import NoAnswer

READY = 20.0
STOP = 5.0
LOG_TAIL = 2000
# The log is UTF-8, whatever the code page of a console is.
_COMMAND = (sys.executable, "-X", "utf8", "-P", "-m", "unmoor.rehearsal.serve")


@dataclass
class LocalWorld:
    """A running world. As a context manager it stops at the end of the block.

    It also ends with this process, which holds the only write end of its stdin. ``registries`` are addresses
    by the host that they stand for. If registries were requested but cannot run here, it is empty, and
    ``no_registry`` says why. ``moved`` has the former ports of servers whose port another program has taken.
    ``deployments`` are the addresses of the servers of deployments, by name.
    """

    folder: Path
    world_file: Path
    addresses: dict[str, str]
    process: Server = field(repr=False)
    registries: dict[str, str] = field(default_factory=dict)
    no_registry: str = ""
    moved: dict[str, int] = field(default_factory=dict)
    deployments: dict[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> str | None:
        """The address of the first registry; ``None`` if there is none."""
        return next(iter(self.registries.values()), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def running(self) -> bool:
        """Whether the servers are still running."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop the servers and wait for them. A second call does nothing."""
        self.process.stop(STOP)


class Beginning:
    """The process of a world's servers, which loads its modules and waits to be told what to serve.

    Loading takes most of a world's start, so begin one early. As a context manager it ends the process at the end of
    the block, unless it serves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        make_private(self._folder)
        with os.fdopen(open_in_place(self._folder / "serve.log", empty=True), "wb") as log:
            # Ctrl-C at the terminal reaches only this process, which stops the servers last.
            self._process = Server(_COMMAND, cwd=self._folder, env=server_variables(os.environ), log=log)
        self._told = self._serves = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._told:
            self._process.kill()  # it has made nothing yet
        if not self._serves:
            self._process.stop(STOP)
        if not self._told:
            remove(self._folder / "serve.log")

    def serve(
        self,
        *,
        repository: str,
        checkout: Path | None,
        file_limit: int | None = None,
        registry: bool = False,
        hosts: Sequence[str] = ("ghcr.io",),
        any_platform: bool = False,
        tag: str = "",
        signing: bool = False,
        announce: Sequence[str] = (),
        deployments: Sequence[str] = (),
        patience: float = 0.0,
    ) -> LocalWorld:
        """Serve a world in the folder, with the state and on the ports that the folder has; see `start`.

        ``patience`` is for how many seconds a client of this world waits for a server, 0 for as long as for a real one.
        """
        arguments = [str(self._folder), "--repository", repository, "--starter", str(os.getpid())]
        arguments += [] if checkout is None else ["--checkout", str(checkout.absolute())]
        arguments += [] if file_limit is None else ["--file-limit", str(file_limit)]
        arguments += ["--any-platform"] if any_platform else []
        arguments += ["--tag", tag] if tag else []
        arguments += ["--signing"] if signing else []
        arguments += ["--patience", f"{patience:g}"] if patience else []
        for target in announce:
            arguments += ["--announce", target]
        for host in hosts if registry else ():
            arguments += ["--registry", host]
        for name in deployments:
            arguments += ["--deployment", name]
        self._told = True
        with contextlib.suppress(OSError):  # it has ended, and its log says why
            self._process.tell(json.dumps(arguments).encode())
        ready = _read_ready_line(self._process, self._folder)
        self._serves = True
        return LocalWorld(
            folder=self._folder,
            world_file=Path(ready["world"]),
            addresses={
                name: str(ready[name]) for name in ("pypi", "testpypi", "forge", "storage", "issuer", "sigstore")
            },
            process=self._process,
            registries=ready["registries"],
            no_registry=ready["no_registry"],
            moved=ready["moved"],
            deployments=ready["deployments"],
        )


def start(
    folder: Path,
    *,
    repository: str,
    checkout: Path | None,
    file_limit: int | None = None,
    registry: bool = False,
    hosts: Sequence[str] = ("ghcr.io",),
    any_platform: bool = False,
    tag: str = "",
    signing: bool = False,
    announce: Sequence[str] = (),
    deployments: Sequence[str] = (),
) -> LocalWorld:
    """Start a world in a folder, with the state and on the ports that the folder has.

    ``repository`` is ``OWNER/NAME``. The git remote is cloned from ``checkout``, and empty if that is ``None``.
    ``file_limit`` is the largest file that an index accepts, in bytes. With ``registry`` there is a container
    registry for each of ``hosts``, if this machine can run one. With ``any_platform`` the indexes take wheels for
    platforms that PyPI refuses, and a run warns about them. ``tag`` is the one that ID tokens are for, by default the
    newest. With ``signing`` the world has its trust config at once. ``announce`` are targets for
    announcements, each as ``NAME=KIND``, and ``deployments`` name the servers of deployments that it has. Raises
    `Refused` if the folder is in use or the
    checkout cannot be cloned, `ConfigError`, `ToolMissing`, `TimedOut` if the servers are not ready in time,
    and `Unknown`, with the end of their log, if they exit.
    """
    with Beginning(folder) as beginning:
        return beginning.serve(
            repository=repository,
            checkout=checkout,
            file_limit=file_limit,
            registry=registry,
            hosts=hosts,
            any_platform=any_platform,
            tag=tag,
            signing=signing,
            announce=announce,
            deployments=deployments,
        )


def _read_ready_line(process: Server, folder: Path) -> dict[str, Any]:
    """Read the line that the servers print when they are ready. Raises the error that it reports."""
    try:
        line = process.answer(READY)
    except NoAnswer:
        raise TimedOut(
            f"not ready after {READY:.0f} s",
            where="the local world",
            next_step=advice.SEE_LOG(log=folder / "serve.log"),
        ) from None
    if not line.endswith(b"\n"):
        raise Unknown(
            f"the servers exited before they were ready: {_end_of_log(folder)}",
            where="the local world",
            next_step=advice.SEE_LOG(log=folder / "serve.log"),
        )
    ready: dict[str, Any] = json.loads(line)
    if "error" in ready:
        kinds = {each.kind: each for each in error_classes()}
        facts: dict[str, Any] = {
            name: NextStep(*value) if isinstance(value, list) else value for name, value in ready["error"].items()
        }
        raise kinds.get(ready["kind"], Unknown)(**facts)
    return ready


def _end_of_log(folder: Path) -> str:
    """Return the end of what the servers wrote to stderr, safe for a terminal."""
    with open_regular(folder / "serve.log") as stream:
        text = stream.read()[-LOG_TAIL:].decode(errors="replace")
    return "".join(char if char.isprintable() else " " for char in text).strip() or "no output"
