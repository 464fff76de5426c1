"""The real clock. A stop of the run ends its waits."""

from __future__ import annotations

import math
import time

import msgspec

from unmoor.adapters.process.supervisor import Processes
from unmoor.util.announce import announce
from unmoor.util.text import duration

# Seconds between two reports of a long wait.
_EVERY = 30.0


class MonotonicClock(msgspec.Struct, frozen=True, kw_only=True):
    """Monotonic seconds, and a sleep that `Processes.stop` interrupts. ``patience`` is that of the world."""

    processes: Processes
    patience: float = math.inf

    def now(self) -> float:
        """Seconds since some fixed moment; never decreases."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, and report the rest of a long wait. Raises `Interrupted` if the run is being stopped."""
        until = self.now() + seconds
        while (left := until - self.now()) > _EVERY:
            self.processes.sleep(_EVERY)
            announce(f"waiting {duration(left - _EVERY)} more")
        self.processes.sleep(left)
