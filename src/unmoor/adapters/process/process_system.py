"""What differs between systems when programs run: the interface of its parts. `parts` chooses one of them.

| part | children belong together by | their end is seen by | if unmoor is killed |
|---|---|---|---|
| `linux` | sessions and process groups | pidfd, ``waitid`` | `reaper`, which finds marked processes in ``/proc`` |
| `darwin` | sessions and process groups | kqueue | `reaper`, which finds marked processes with psutil |
| `windows` | job objects | a handle of the process | the kernel ends the jobs |

`posix` is what `linux` and `darwin` share. Nothing else in unmoor asks for the system to run a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

import msgspec

from unmoor.ports.shell import ProcessLimits

LABEL = "dev.unmoor.run"
"""The label of a run's containers. Its value is the run's id."""
GRACE = 2.0
"""Seconds that a program has to end after unmoor asks it to end."""
LARGEST_INPUT = 65_536
"""Bytes that a program can be given to read: as many as a pipe holds on Linux."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A program to start. ``program`` is its file, ``args`` what follows, ``env`` the whole environment.

    ``mark`` is a variable, ``NAME=value``, that the program gets besides, and by which it is found. Output goes to
    ``log``, or to pipes if that is ``None``. ``umask`` is -1 to inherit it; Windows has none.
    """

    program: str
    args: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    mark: str
    umask: int = -1
    log: IO[bytes] | None = None
    stdin: bytes = b""
    limits: ProcessLimits | None = None


class OutputReader(Protocol):
    """Passes on the output of a program."""

    def read(self, seconds: float) -> None:
        """Pass on what there is. Waits at most so long for output, the end of the program or the stop of the run."""

    def drain(self, seconds: float) -> None:
        """Pass on what is left after the program has ended. Whatever it left behind may keep writing: not longer."""


class Child(Protocol):
    """A running program, with whatever it starts. Call `end` in every case. One thread at a time uses it."""

    @property
    def pid(self) -> int:
        """Its number."""

    def ended(self, within: float = 0.0) -> bool:
        """Whether the program itself has ended, after waiting at most ``within`` seconds."""

    def end(self, grace: float = GRACE) -> int:
        """End what it has started, too. Returns its exit code, see `unmoor.ports.exit_codes`; repeatable.

        TERM or Ctrl-Break ask the program to end, and it is killed ``grace`` seconds later.
        """

    def reading(
        self, out: Callable[[bytes], None], err: Callable[[bytes], None]
    ) -> AbstractContextManager[OutputReader]:
        """Call ``out`` and ``err`` with chunks of its output, from the thread that calls the reader."""

    def over_memory(self) -> bool:
        """Whether it uses more memory than its limits allow. False if the system itself enforces them."""


class ProcessSystem(Protocol):
    """All programs of one run, as one system runs them. Its methods may be called from any thread."""

    line_end: str
    """How programs end a line."""
    settle: float
    """Seconds within which a stop arrives that has already ended a program: both are in one console on Windows."""

    def find(self, program: str, *, cwd: Path, env: Mapping[str, str]) -> str | None:
        """Find a program on the PATH of its own environment; ``None`` if there is none."""

    def start(self, command: Command) -> Child:
        """Start a program, out of reach of what the terminal sends to unmoor. Raises ``OSError``."""

    def stop(self) -> None:
        """Make `stopped` true for ever, and wake everything that waits. Safe in a signal handler."""

    def stopped(self, within: float = 0.0) -> bool:
        """Whether the run is being stopped, after waiting at most ``within`` seconds."""

    def guarded(self) -> AbstractContextManager[None]:
        """Stop the run if the user or the system asks unmoor to end; at the second time end it at once.

        Only for the main thread.
        """

    def containers(self, engine: str) -> AbstractContextManager[None]:
        """Have this run's containers removed from an engine if unmoor is killed in this context."""

    def note_orphans(self) -> None:
        """Note what programs have left behind so far, for the case that unmoor is killed before they end."""

    def close(self) -> None:
        """End whatever still runs. Repeatable."""
