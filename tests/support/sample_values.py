"""Values for many tests: a release, and a clock that does not wait."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmoor.products import Release


def sample_release(repository: str = "o/n", project: str = "small-one") -> Release:
    """Return the final release 1.0, which is the highest."""
    return Release(
        repository=repository,
        project=project,
        tag="v1.0",
        version="1.0",
        commit="a" * 40,
        date=0,
        prerelease=False,
        highest=True,
    )


@dataclass
class FakeClock:
    """A clock that only moves when `sleep` is called, which returns immediately."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the time in seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move the clock forward without waiting."""
        self.slept.append(seconds)
        self.time += seconds
