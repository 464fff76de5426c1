"""Signals to a process that is neither a child nor a server of this one: the client of a world that has to die.

A file names the client, and whoever can write the file can name any process. So only one that a given process has
started, itself or through others, counts as a client.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from unmoor.filesystem.files import read_regular

_LIMIT = 20
_DEEPEST = 100


def client_in(path: Path, starter: int) -> int | None:
    """Return the process id that a file has, if ``starter`` has started that process; otherwise ``None``."""
    pid = pid_in(path)
    return pid if pid is not None and starter in _ancestors(pid) else None


def pid_in(path: Path) -> int | None:
    """Return the process id that a file has; ``None`` if there is no such file, or nothing like one in it."""
    try:
        text = read_regular(path, _LIMIT).strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdigit() and len(text) <= len("4194304") and int(text) > 1 else None


def _ancestors(pid: int) -> Iterator[int]:
    """Yield the parent of a process, the parent of that, and so on. Nothing comes of a process that is gone."""
    if sys.platform == "linux":
        from unmoor.adapters.process.protection import parent_of

        found = parent_of(pid)
        for _ in range(_DEEPEST):
            if not found:
                return
            yield found
            found = parent_of(found)
    else:
        import psutil

        try:
            yield from (each.pid for each in psutil.Process(pid).parents())
        except psutil.Error:
            return


def send_signal(pid: int, name: str) -> bool:
    """Send a process the signal ``KILL``, ``TERM`` or ``INT``; any of them ends it at once on Windows.

    Return whether there was such a process of this user.
    """
    number = getattr(signal, f"SIG{name}", signal.SIGTERM) if sys.platform != "win32" else signal.SIGTERM
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def is_running(pid: int) -> bool:
    """Whether there is such a process of this user. Windows has no signal that only asks: there it counts as gone."""
    if sys.platform == "win32":
        return False
    else:  # noqa: RET505 - mypy checks one branch on each system
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
