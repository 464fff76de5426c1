"""A separate program that outlives unmoor for a moment, to end what unmoor left running.

`reaper_link` starts it as ``python -I -S -E reaper.py MARK LABEL [FOLDER]`` in its own session, with a pipe as its
standard input. It writes one line for each change: ``+GROUP`` when a child starts, ``-GROUP`` when it has ended,
``@ENGINE`` and ``~ENGINE`` around the use of a container engine. The pipe ends when unmoor ends, even after
``kill -9``. The reaper then sends TERM and, a moment later, KILL to every group that is still on its list, and to every
process with MARK in its environment, which includes those that left their group. It finds them in ``/proc``, or else
by psutil, which it imports from FOLDER. It removes the run's containers, those with LABEL, from the engines still in
use. Windows has no use for it. It imports nothing from unmoor and almost nothing else, because every command that
starts a program waits for its end: contextlib, pathlib and signal would each take as long as everything that it does.
"""

# ruff: noqa: PTH112, PTH123, PTH208, SIM105  # importing contextlib or pathlib takes longer than everything here

from __future__ import annotations

import os
import sys

assert sys.platform != "win32"  # for mypy

import time

TYPE_CHECKING = False  # as typing has it, whose import takes milliseconds
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable
else:
    import _signal as signal  # signal itself only makes enums of it

GRACE = 1.0
_PROC = "/proc"
# How often to ask an engine for remaining containers, and the seconds between.
_ROUNDS = 40
_PAUSE = 0.25
# Limits of an engine's answer: seconds and bytes.
_PATIENCE = 15.0
_ANSWER = 10_000_000


def main(mark: str, label: str, feed: Iterable[bytes], *, grace: float = GRACE) -> None:
    """Read the feed to its end, then end whatever is left. ``grace`` is the seconds between TERM and KILL."""
    groups: set[int] = set()
    engines: dict[str, int] = {}
    for line in feed:
        sign, rest = line[:1], line[1:].decode().strip()
        if sign == b"+":
            groups.add(int(rest))
        elif sign == b"-":
            groups.discard(int(rest))
        else:
            engines[rest] = engines.get(rest, 0) + (1 if sign == b"@" else -1)
    _end(groups, mark.encode(), grace)
    for engine, users in engines.items():
        if users > 0:
            _remove_containers(engine, f"{label}={mark.partition('=')[2]}")


def _end(groups: set[int], mark: bytes, grace: float) -> None:
    """Send TERM, wait until nothing is left or ``grace`` seconds have passed, then send KILL until all are gone."""
    found = _send(groups, mark, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := _any_left(groups, mark)) and time.monotonic() < deadline:
        time.sleep(0.01)
    if not found and not left:
        return
    for _ in range(100):
        _send(groups, mark, signal.SIGKILL)
        if not _marked(mark):
            return
        time.sleep(0.01)


def _remove_containers(engine: str, label: str) -> None:
    """Remove a run's containers until none is left. One that was still being created appears a moment later."""
    import json
    from urllib.parse import quote

    filters = quote(json.dumps({"label": [label]}))
    empty = 0
    for _ in range(_ROUNDS):
        try:
            containers = json.loads(_request(engine, "GET", f"/containers/json?all=1&filters={filters}"))
            for container in containers:
                _request(engine, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
            empty = 0 if containers else empty + 1
        except (FileNotFoundError, ConnectionRefusedError):
            empty += 1  # the engine is gone
        except (OSError, ValueError, KeyError, TypeError):
            empty = 0
        if empty > 1:
            return
        time.sleep(_PAUSE)


def _request(engine: str, method: str, path: str) -> bytes:
    """Send a request to an engine, over a Unix socket or TCP, and return the body. Raises ``OSError``."""
    import socket
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    place = urlsplit(engine)
    connection = HTTPConnection(place.hostname or "engine", place.port or 2375, timeout=_PATIENCE)
    try:
        if place.scheme == "unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(_PATIENCE)
            connection.sock.connect(place.path)
        connection.request(method, path, headers={"Host": "engine"})
        return connection.getresponse().read(_ANSWER)
    except HTTPException as error:
        raise OSError from error
    finally:
        connection.close()


def _send(groups: set[int], mark: bytes, number: signal.Signals) -> bool:
    """Signal every group and every marked process. Returns whether there was one."""
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            pass
    marked = _marked(mark)
    for process in marked:
        try:
            os.kill(process, number)
        except (ProcessLookupError, PermissionError):
            pass
    return bool(groups or marked)


def _any_left(groups: set[int], mark: bytes) -> bool:
    """Whether any group or marked process is left."""
    return any(_exists(group) for group in groups) or bool(_marked(mark))


def _exists(group: int) -> bool:
    """Whether a process group has a member. Zombies count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _marked(mark: bytes) -> list[int]:
    """Every process with the mark in its environment, as far as the system shows it."""
    if not os.path.isdir(_PROC):
        return _marked_by_psutil(*mark.decode().split("=", 1))
    found = []
    for name in os.listdir(_PROC):
        if name.isdecimal():
            try:
                with open(f"{_PROC}/{name}/environ", "rb", buffering=0) as environ:
                    if mark in environ.read():
                        found.append(int(name))
            except OSError:  # it has ended, or belongs to another user
                pass
    return found


def _marked_by_psutil(name: str, value: str) -> list[int]:
    """Find them without ``/proc``. Empty if psutil is not there. macOS shows no variables of Apple's own programs."""
    try:
        import psutil
    except ImportError:
        return []
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name, "").startswith(value):
                found.append(process.pid)
        except (psutil.Error, OSError):
            pass
    return found


if __name__ == "__main__":
    # Signals that a terminal or a service manager sends to unmoor must not end the reaper.
    for _ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(_ignored, signal.SIG_IGN)
    sys.path += sys.argv[3:]
    main(sys.argv[1], sys.argv[2], sys.stdin.buffer)
