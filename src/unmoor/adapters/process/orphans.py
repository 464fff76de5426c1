"""Find and end the processes that programs leave behind, even those that left their session and their environment.

A daemon starts itself twice, so that its parent ends and nothing connects it with the program that wanted it. The
kernel then makes it a child of this process (`protection`). Any child that appears while programs run, and that
nobody here started, is such a process.
"""

from __future__ import annotations

import sys

assert sys.platform == "linux"  # for mypy

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from unmoor.adapters.process.protection import Protection, protection, start_time

# Seconds to wait for killed processes to end, and between two looks.
_PATIENCE = 2.0
_PAUSE = 0.005


class _Process(NamedTuple):
    """A process, and when it started: the kernel gives a PID again once its process has ended."""

    pid: int
    started: int


class Orphans:
    """What this process has adopted. One object for the whole process; its methods may be called from any thread."""

    def __init__(self, system: Protection) -> None:
        self._system = system
        self._lock = threading.Lock()
        self._running: dict[int, bytes] = {}
        self._starting = 0
        # The children that were there before the first of the programs that run now; ``None`` before any program.
        self._before: frozenset[_Process] | None = None
        # The kernel may miss a child in its list while others end, so `_before` alone could forget one of ours.
        self._kept: set[_Process] = set()

    @contextlib.contextmanager
    def starting(self, mark: str) -> Iterator[Callable[[int], None]]:
        """Start a program in this context, and report its PID to the function that this yields.

        ``mark`` is a variable, ``NAME=value``, that only the processes of this program have.
        """
        with self._lock:
            if not self._running and not self._starting:
                self._before = frozenset(_identified(self._system.children()))
            self._starting += 1

        def started(process: int) -> None:
            with self._lock:
                self._running[process] = mark.encode() + b"\0"

        try:
            yield started
        finally:
            with self._lock:
                self._starting -= 1

    def keep(self, process: int) -> None:
        """Never take a process that this one started for an orphan. Those that have ended meanwhile are forgotten."""
        with self._lock:
            self._kept = self._kept & set(_identified(each.pid for each in self._kept)) | set(_identified([process]))

    def ended(self, process: int) -> None:
        """End what a program left behind. Call it once the program has been waited for.

        While other programs run, an orphan without the mark may be theirs. It is ended with the last of them.
        """
        with self._lock:
            mark = self._running.pop(process, b"")
            self._end(mark if self._running or self._starting else b"")

    def end_all(self) -> None:
        """End the orphans of programs that nobody has waited for, unless another program is just being started."""
        with self._lock:
            if self._running and not self._starting:
                self._end(b"")

    def groups(self) -> frozenset[int]:
        """The process groups of the orphans that there are now."""
        found = set()
        with self._lock:
            for process in self._strays():
                with contextlib.suppress(OSError):
                    found.add(os.getpgid(process))
        return frozenset(found)

    def _strays(self) -> list[int]:
        """The adopted children. Those in this session were started here, by a library."""
        if self._before is None:
            return []
        own = os.getsid(0)
        found = frozenset(_identified(self._system.children() - self._running.keys()))
        return [each.pid for each in found - self._before - self._kept if _session(each.pid) not in {None, own}]

    def _end(self, mark: bytes) -> None:
        """Kill the orphans with a mark, or all, until none is left: their children are adopted in turn."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            left = [each for each in self._strays() if not mark or _has(each, mark)]
            if not left:
                return
            for process in left:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            reaped = [_reaped(process) for process in left]
            if not all(reaped):
                time.sleep(_PAUSE)


def _identified(processes: Iterable[int]) -> Iterator[_Process]:
    """Yield the processes that are still there."""
    for pid in processes:
        if (started := start_time(pid)) is not None:
            yield _Process(pid, started)


def _session(process: int) -> int | None:
    """The session of a process, ``None`` if it is gone."""
    try:
        return os.getsid(process)
    except OSError:
        return None


def _has(process: int, mark: bytes) -> bool:
    """Whether a process has a variable. False if its environment cannot be read."""
    try:
        return mark in Path(f"/proc/{process}/environ").read_bytes() + b"\0"
    except OSError:
        return False


def _reaped(process: int) -> bool:
    """Reap an ended child. Returns whether it had ended."""
    try:
        return os.waitpid(process, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True


@cache
def orphans() -> Orphans:
    """Return the one object of this process."""
    return Orphans(protection())
