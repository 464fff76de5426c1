"""The real clock, whose waits end when the run is being stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass

from unmoor.adapters.process.supervisor import Processes


@dataclass(frozen=True, kw_only=True)
class MonotonicClock:
    """Monotonic seconds, and a sleep that `Processes.stop` ends."""

    processes: Processes

    def now(self) -> float:
        """Seconds from some fixed moment; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run is being stopped."""
        self.processes.sleep(seconds)
