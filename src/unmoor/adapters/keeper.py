"""A program of its own: outlives unmoor for a moment, to end what unmoor left running.

``processes`` starts it as ``python -I -S -E keeper.py MARK`` in its own session, with a pipe as its
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
from collections.abc import Iterable
from pathlib import Path

GRACE = 1.0
_PROC = Path("/proc")


def main(mark: str, feed: Iterable[bytes], *, grace: float = GRACE) -> None:
    """Follow the feed to its end, then end whatever is left. ``grace`` in seconds, between TERM and KILL."""
    groups: set[int] = set()
    for line in feed:
        group = int(line[1:])
        if line.startswith(b"+"):
            groups.add(group)
        else:
            groups.discard(group)
    _end(groups, mark.encode(), grace)


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
