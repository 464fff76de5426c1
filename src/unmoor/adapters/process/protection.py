"""What the operating system does for this process while it runs programs of the project.

On Linux, `hide` keeps its memory and its variables from other processes of the same user, and `adopt` makes it the
parent of processes whose own parent has ended, so that `orphans` can find those that programs leave behind (prctl(2)).
Other systems have neither.
"""

from __future__ import annotations

import sys

assert sys.platform == "linux"  # for mypy

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36
_OWN = Path("/proc/self")
# The fields of /proc/PID/stat after the name of the program (proc_pid_stat(5)).
_PARENT, _STARTED, _ENVIRONMENT, _ENVIRONMENT_END = 1, 19, 47, 48
# How often the list of children is read until two readings agree.
_READINGS = 5


class Protection(Protocol):
    """Two guarantees about this process, and what they are good for."""

    def hide(self, is_public: Callable[[str, str], bool]) -> None:
        """Keep the memory of this process, and its variables, from other processes of the same user.

        ``is_public`` says of a name and a value whether they may stay visible in ``/proc/PID/environ``, which shows
        the variables that a process was started with even to root. No variable changes for this process. Call it
        before there are threads: it writes to the environment of the C library.
        """

    def adopt(self) -> None:
        """Become the parent of every descendant whose own parent ends."""

    def children(self) -> frozenset[int]:
        """The PIDs of the present children, adopted ones included."""


@cache
def protection() -> Protection:
    """Return the protection of this system."""
    return _Linux()


class _Linux:
    """Linux, by prctl(2) and proc(5)."""

    def __init__(self) -> None:
        import ctypes  # takes milliseconds, and only runs that start programs need it

        self._ctypes = ctypes
        self._libc: Any = ctypes.CDLL(None)

    def hide(self, is_public: Callable[[str, str], bool]) -> None:
        """See `Protection.hide`. A program that this process starts is not affected."""
        self._libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
        start, end = _environment_block()
        if not start:
            return  # the kernel does not say where it is
        used = self._used_by_libc()
        at, copied = start, set()
        for entry in self._ctypes.string_at(start, end - start).split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if name and equals and not is_public(os.fsdecode(name), os.fsdecode(value)):
                if at in used and name not in copied:
                    os.putenv(name, value)  # a copy elsewhere, for getenv(3), which finds the first of a name
                    copied.add(name)
                self._ctypes.memset(at + len(name) + 1, 0, len(value))
            at += len(entry) + 1

    def _used_by_libc(self) -> frozenset[int]:
        """The addresses of the variables that getenv(3) finds."""
        variables: Any = self._ctypes.POINTER(self._ctypes.c_void_p).in_dll(self._libc, "environ")

        def addresses() -> Iterator[int]:
            number = 0
            while variables and (address := variables[number]):
                yield address
                number += 1

        return frozenset(addresses())

    def adopt(self) -> None:
        """See `Protection.adopt`. Programs that this process starts do not inherit it."""
        self._libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def children(self) -> frozenset[int]:
        """See `Protection.children`."""
        try:
            return _agreed_children()
        except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
            return frozenset(_searched_children(os.getpid()))


def start_time(process: int) -> int | None:
    """When a process started, in clock ticks since the system did; ``None`` if there is no such process."""
    try:
        return int(_stat(Path("/proc") / str(process))[_STARTED])
    except (OSError, IndexError, ValueError):
        return None


def parent_of(process: int) -> int | None:
    """The parent of a process; ``None`` if there is no such process."""
    try:
        return int(_stat(Path("/proc") / str(process))[_PARENT])
    except (OSError, IndexError, ValueError):
        return None


def _agreed_children() -> frozenset[int]:
    """Read the list of children until two readings agree: it may miss some while others end (proc_tid_children(5))."""
    last = frozenset(_listed_children())
    for _ in range(_READINGS):
        previous, last = last, frozenset(_listed_children())
        if last == previous:
            break
    return last


def _listed_children() -> Iterator[int]:
    """Yield the children of every thread. Raises ``FileNotFoundError`` if the kernel does not list them."""
    lists = _OWN / "task" / str(os.getpid()) / "children"
    lists.stat()
    for task in (_OWN / "task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            yield from map(int, (task / "children").read_bytes().split())


def _searched_children(parent: int) -> Iterator[int]:
    """Yield every process with this parent."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):  # the process has ended
            if int(_stat(entry)[_PARENT]) == parent:
                yield int(entry.name)


def _environment_block() -> tuple[int, int]:
    """Where in memory the variables are that this process was started with, and their end. Zeros if unknown."""
    try:
        fields = _stat(_OWN)
        return int(fields[_ENVIRONMENT]), int(fields[_ENVIRONMENT_END])
    except (OSError, IndexError, ValueError):
        return 0, 0


def _stat(process: Path) -> list[bytes]:
    return (process / "stat").read_bytes().rpartition(b")")[2].split()
