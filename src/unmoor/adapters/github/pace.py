"""The rate limits for writes and for many reads, from GitHub's REST API guides "Best practices" and "Rate limits"."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from unmoor.adapters.http.urls import may_be_loopback
from unmoor.ports.clock import Clock

BURST = 20
HOURLY = 500
READ_BURST = 60
READS = 12.0
"""Reads in a second. GitHub accepts 900 a minute from one token, which others may use too."""
_HOUR = 3600.0


class Pace:
    """One write at a time; to a real forge, a burst of 20, then one a second, and at most 500 creations an hour."""

    def __init__(self, api: str, clock: Clock) -> None:
        self._free = may_be_loopback(api)
        self._clock = clock
        self._tokens = float(BURST)
        self._filled = clock.now()
        self._hour: deque[float] = deque(maxlen=HOURLY)
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, *, deletes: bool = False) -> Iterator[None]:
        """Wait for a turn, and hold it in the context. A call that only ``deletes`` does not count toward the hour."""
        with self._lock:
            if not self._free:
                self._take(deletes=deletes)
            yield

    def _take(self, *, deletes: bool) -> None:
        """Take a token from the bucket, waiting for one if it is empty. It gains one token a second."""
        self._fill()
        waits = [1.0 - self._tokens]
        if len(self._hour) == HOURLY and not deletes:
            waits.append(self._hour[0] + _HOUR - self._clock.now())
        if (wait := max(waits)) > 0:
            self._clock.sleep(wait)
            self._fill()
        self._tokens -= 1.0
        if not deletes:
            self._hour.append(self._clock.now())

    def _fill(self) -> None:
        now = self._clock.now()
        self._tokens = min(float(BURST), self._tokens + now - self._filled)
        self._filled = now


class ReadPace:
    """Many reads at the same time; to a real forge, a burst of 60, then 12 a second."""

    def __init__(self, api: str, clock: Clock) -> None:
        self._free = may_be_loopback(api)
        self._clock = clock
        self._tokens = float(READ_BURST)
        self._filled = clock.now()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for a turn. Each caller takes the next one, so that they wait side by side."""
        if self._free:
            return
        with self._lock:
            now = self._clock.now()
            self._tokens = min(float(READ_BURST), self._tokens + (now - self._filled) * READS) - 1.0
            self._filled = now
            wait = -self._tokens / READS
        if wait > 0:
            self._clock.sleep(wait)
