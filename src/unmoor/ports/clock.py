"""Time as a port: waits have limits, and tests do not wait."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A monotonic clock, and sleep."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run is being stopped."""
