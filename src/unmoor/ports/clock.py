"""Time as a port: waits have limits, and tests do not wait."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A monotonic clock, and sleep."""

    @property
    def patience(self) -> float:
        """The most seconds to wait for a server, however long one wait or all tries may last; infinite for no limit."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run is being stopped."""
