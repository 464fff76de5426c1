"""The real clock. A stop of the run ends its waits."""

from __future__ import annotations

import time
from dataclasses import dataclass

from unmoor.adapters.process.supervisor import Processes


@dataclass(frozen=True, kw_only=True)
class MonotonicClock:
    """Monotonic seconds, and a sleep that `Processes.stop` interrupts."""

    processes: Processes

    def now(self) -> float:
        """Seconds since some fixed moment; never decreases."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` if the run is being stopped."""
        self.processes.sleep(seconds)
