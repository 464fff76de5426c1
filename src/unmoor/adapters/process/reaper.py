"""A program of its own: outlives unmoor for a moment, to end what unmoor left running.

``processes`` starts it as ``python -I -S -E reaper.py MARK`` in its own session, with a pipe as its
standard input, and writes ``+GROUP`` when a child starts and ``-GROUP`` when it has ended. The pipe
ends when unmoor does, however it ended, ``kill -9`` included. Then everything still noted gets TERM,
a moment later KILL; and so does every process that carries MARK in its environment, which finds those
that left their group. It imports nothing of unmoor, so that it starts in a few milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

GRACE = 1.0
LABEL = "dev.unmoor.run"
_PROC = Path("/proc")
# How often an engine is asked for what is left, with how long a pause; seconds that an answer may take, its length.
_ROUNDS = 40
_PAUSE = 0.25
_PATIENCE = 15.0
_ANSWER = 10_000_000


def main(mark: str, feed: Iterable[bytes], *, grace: float = GRACE) -> None:
    """Follow the feed to its end, then end whatever is left. ``grace`` in seconds, between TERM and KILL."""
    groups: set[int] = set()
    engines: Counter[str] = Counter()
    for line in feed:
        sign, rest = line[:1], line[1:].decode().strip()
        if sign == b"+":
            groups.add(int(rest))
        elif sign == b"-":
            groups.discard(int(rest))
        else:
            engines[rest] += 1 if sign == b"@" else -1
    _end(groups, mark.encode(), grace)
    for engine in +engines:
        _remove_containers(engine, mark.partition("=")[2])


def _end(groups: set[int], mark: bytes, grace: float) -> None:
    """Send TERM, wait until nothing is left or the grace is over, send KILL until nothing new appears."""
    _send(groups, mark, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while _left(groups, mark) and time.monotonic() < deadline:
        time.sleep(0.01)
    for _ in range(100):
        _send(groups, mark, signal.SIGKILL)
        if not _marked(mark):
            return
        time.sleep(0.01)


def _remove_containers(engine: str, run: str) -> None:
    """Remove a run's containers until none is left; an engine that was still making one shows it a moment later."""
    import json
    from urllib.parse import quote

    wanted = quote(json.dumps({"label": [f"{LABEL}={run}"]}))
    empty = 0
    for _ in range(_ROUNDS):
        try:
            listed = json.loads(_ask(engine, "GET", f"/containers/json?all=1&filters={wanted}"))
            for container in listed:
                _ask(engine, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
            empty = 0 if listed else empty + 1
        except (FileNotFoundError, ConnectionRefusedError):
            empty += 1  # there is no engine any more
        except (OSError, ValueError, KeyError, TypeError):
            empty = 0
        if empty > 1:
            return
        time.sleep(_PAUSE)


def _ask(engine: str, method: str, path: str) -> bytes:
    """Ask an engine, at a socket of this machine or at a port. Raises ``OSError``."""
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


def _send(groups: set[int], mark: bytes, number: signal.Signals) -> None:
    """Signal every group, and every marked process outside them."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for process in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def _left(groups: set[int], mark: bytes) -> bool:
    """Whether anything still runs."""
    return any(_runs(group) for group in groups) or bool(_marked(mark))


def _runs(group: int) -> bool:
    """Whether a group has a member; one that no one has reaped yet counts."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _marked(mark: bytes) -> list[int]:
    """Every process that carries the mark; none where there is no ``/proc``."""
    found = []
    for entry in _PROC.glob("[0-9]*"):
        # A process that ended meanwhile, or is another user's, cannot be read.
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    # Whatever the terminal or a service manager sends to unmoor is not meant for its keeper.
    for _ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(_ignored, signal.SIG_IGN)
    main(sys.argv[1], sys.stdin.buffer)
