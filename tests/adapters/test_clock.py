"""A long wait reports how much of it is left."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.github.answers import _wait
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import TimedOut, Unknown
from unmoor.ports.poll import growing, poll
from unmoor.util.announce import announce, announcing_to

NOON = 1795262400  # 2026-11-21, UTC


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


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, -1.5e9], ids=["back", "ahead", "1978"])
def test_a_clock_that_is_set_makes_no_wait_longer(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jump: float
) -> None:
    """A sleep, a poll, a program's time-out and the deadline of a request: each goes by a clock that nobody sets."""
    real, calls = time.time, itertools.count(1)
    monkeypatch.setattr(time, "time", lambda: real() + jump * next(calls))
    clock = MonotonicClock(processes=processes)

    def waits() -> None:
        clock.sleep(0.01)
        assert poll(lambda: None, waits=growing(0.01, 0.02), clock=clock, deadline=0.05) is None
        with pytest.raises(TimedOut):
            LocalShell(processes=processes).run(
                [sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, env={}, timeout=0.2
            )
        with (
            run_server(Exchange.hang) as server,
            BoundedSession(Bounds(total=0.2)) as http,
            pytest.raises(Unknown),
        ):
            http.get(server.url)

    thread = threading.Thread(target=waits, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("jump", [0.0, -86_400.0, 86_400.0])
def test_the_end_of_a_rate_limit_is_by_the_servers_clock(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    """A machine whose clock is an hour behind would wait an hour too long."""
    monkeypatch.setattr("unmoor.adapters.github.answers.time.time", lambda: NOON + jump)
    headers = {"x-ratelimit-reset": str(NOON + 30), "date": "Sat, 21 Nov 2026 12:00:00 GMT"}
    assert _wait(headers) == 30


def test_nobody_hears_an_announcement_outside_a_stage() -> None:
    """A command that runs no stage waits in silence."""
    heard: list[str] = []
    with announcing_to(heard.append):
        announce("one")
    announce("two")
    assert heard == ["one"]
