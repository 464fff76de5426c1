"""What many tests want one of: a release, and a clock that nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmoor.products import Release


def sample_release(repository: str = "o/n", project: str = "small-one") -> Release:
    """A final release of 1.0, the highest."""
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
    """A clock that only sleep moves, which is over at once."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the beginning of the test, unless it began later."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Go forward at once."""
        self.slept.append(seconds)
        self.time += seconds
