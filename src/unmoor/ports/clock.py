"""Time, so that waits can be bounded, and tested without waiting."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and sleep."""

    def now(self) -> float:
        """Seconds from some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run is being stopped."""
