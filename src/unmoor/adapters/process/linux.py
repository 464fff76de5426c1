"""Linux: descriptors of processes, limits that the kernel enforces, and adopted orphans."""

from __future__ import annotations

import sys

assert sys.platform == "linux"  # for mypy

import contextlib
import os
import resource
from collections.abc import Callable

from unmoor.adapters.process.orphans import orphans
from unmoor.adapters.process.posix import PosixSystem
from unmoor.adapters.process.process_system import Command
from unmoor.adapters.process.protection import protection
from unmoor.adapters.process.variables import is_public
from unmoor.ports.shell import ProcessLimits


class LinuxSystem(PosixSystem):
    """See `process_system.ProcessSystem`. What programs leave behind becomes a child of this process: `orphans`."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self._orphaned: frozenset[int] = frozenset()
        protection().hide(lambda name, value: name == mark.partition("=")[0] or is_public(name, value))
        protection().adopt()

    def watch(self, process: int, command: Command) -> PidWatch:
        """See `PosixSystem.watch`."""
        if command.limits is not None:
            _limit(process, command.limits)
        return PidWatch(process)

    def starting(self, mark: str) -> contextlib.AbstractContextManager[Callable[[int], None]]:
        """See `PosixSystem.starting`."""
        return orphans().starting(mark)

    def after(self, process: int) -> None:
        """See `PosixSystem.after`."""
        orphans().ended(process)
        if self._orphaned:
            self.note_orphans()

    def keep(self, process: int) -> None:
        """See `PosixSystem.keep`."""
        orphans().keep(process)

    def note_orphans(self) -> None:
        """See `ProcessSystem.note_orphans`."""
        now = orphans().groups()
        with self._lock:
            for group in now - self._orphaned:
                self.reaper.add(group)
            for group in self._orphaned - now:
                self.reaper.forget(group)
            self._orphaned = now

    def close(self) -> None:
        """See `ProcessSystem.close`."""
        if self.reaper.close():
            orphans().end_all()


class PidWatch:
    """Watches a child by its pidfd. A kernel before 5.3 has none."""

    def __init__(self, process: int) -> None:
        self._process = process
        self.handle = _pidfd(process)

    def ended(self) -> bool:
        """See `EndWatch.ended`."""
        return os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def close(self) -> None:
        """See `EndWatch.close`."""
        if self.handle is not None:
            os.close(self.handle)


def _pidfd(process: int) -> int | None:
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _limit(process: int, limits: ProcessLimits) -> None:
    """Set the limits of a program that starts just now: before it has read anything from outside."""
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        for kind, most in (
            (resource.RLIMIT_AS, limits.memory),
            (resource.RLIMIT_CPU, limits.seconds),
            (resource.RLIMIT_CORE, 0),
        ):
            _, highest = resource.prlimit(process, kind)
            allowed = most if highest == resource.RLIM_INFINITY else min(most, highest)
            resource.prlimit(process, kind, (allowed, allowed))
