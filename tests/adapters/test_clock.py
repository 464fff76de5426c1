"""A long wait reports how much of it is left."""

from __future__ import annotations

import pytest

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.supervisor import Processes
from unmoor.util.announce import announce, announcing_to


@pytest.mark.parametrize(
    ("seconds", "slept", "said"),
    [
        (0.0, [0.0], []),
        (5.0, [5.0], []),
        (30.0, [30.0], []),
        (45.0, [30.0, 15.0], ["waiting 15 s more"]),
        (150.0, [30.0] * 5, ["waiting 2 min more", "waiting 2 min more", "waiting 1 min more", "waiting 30 s more"]),
    ],
)
def test_a_countdown(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, seconds: float, slept: list[float], said: list[str]
) -> None:
    """Every half minute; a short wait is silent. The waits add up to what was asked for."""
    times = [1000.0]
    waits: list[float] = []
    messages: list[str] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        times.append(times[-1] + seconds)

    monkeypatch.setattr(processes, "sleep", sleep)
    monkeypatch.setattr("unmoor.adapters.clock.time.monotonic", lambda: times[-1])
    with announcing_to(messages.append):
        MonotonicClock(processes=processes).sleep(seconds)
    assert waits == slept
    assert messages == said


def test_nobody_hears_an_announcement_outside_a_stage() -> None:
    """A command that runs no stage waits in silence."""
    heard: list[str] = []
    with announcing_to(heard.append):
        announce("one")
    announce("two")
    assert heard == ["one"]
