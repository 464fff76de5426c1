"""macOS: what ``waitid`` and pidfd do on Linux is done by a kqueue, and what the kernel does there by psutil.

There is no subreaper and no ``/proc``. So a daemon that leaves its group is found by its mark only, and only at the end
of the run (`reaper`). A limit of memory is enforced by looking: macOS ignores ``RLIMIT_AS``.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # for mypy

from collections.abc import Sequence
from typing import Protocol

from unmoor.adapters.process.posix import PosixSystem, is_readable
from unmoor.adapters.process.process_system import Command


class ExitQueue(Protocol):
    """A kqueue that tells of the end of one process. `DarwinKernel.watch` makes it."""

    def fileno(self) -> int:
        """Its descriptor, which is readable once the process has ended."""

    def close(self) -> None:
        """Close it."""


class DarwinCalls(Protocol):
    """The calls of the system that this needs; see `darwin_kernel.DarwinKernel`."""

    def watch(self, process: int) -> ExitQueue | None:
        """Watch a child; ``None`` if it has ended already. Raises ``OSError``."""

    def memory(self, process: int) -> int:
        """The bytes that a process has in memory, 0 if it has ended."""

    def libraries(self) -> Sequence[str]:
        """The folders from which the reaper can import psutil."""


class DarwinSystem(PosixSystem):
    """See `process_system.ProcessSystem`."""

    def __init__(self, mark: str, kernel: DarwinCalls) -> None:
        super().__init__(mark, path=kernel.libraries())
        self._kernel = kernel
        self._memory: dict[int, int] = {}

    def watch(self, process: int, command: Command) -> QueueWatch:
        """See `PosixSystem.watch`."""
        if command.limits is not None:
            self._memory[process] = command.limits.memory
        return QueueWatch(self._kernel.watch(process))

    def over_memory(self, process: int) -> bool:
        """See `PosixSystem.over_memory`."""
        most = self._memory.get(process)
        return most is not None and self._kernel.memory(process) > most

    def after(self, process: int) -> None:
        """See `PosixSystem.after`: forget the limit of a number that another process may get."""
        self._memory.pop(process, None)


class QueueWatch:
    """Watches a child by a kqueue, from which nothing is ever read: it stays readable."""

    def __init__(self, queue: ExitQueue | None) -> None:
        self._queue = queue

    @property
    def handle(self) -> int | None:
        """See `EndWatch.handle`."""
        return self._queue.fileno() if self._queue is not None else None

    def ended(self) -> bool:
        """See `EndWatch.ended`."""
        return self._queue is None or is_readable(self._queue.fileno(), 0)

    def close(self) -> None:
        """See `EndWatch.close`."""
        if self._queue is not None:
            self._queue.close()
