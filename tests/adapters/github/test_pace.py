"""How fast GitHub is written to: in bursts that it allows, and no more in an hour."""

from __future__ import annotations

from tests.support.sample_values import FakeClock

from unmoor.adapters.github.pace import BURST, HOURLY, READ_BURST, Pace, ReadPace


def turns(address: str, count: int) -> FakeClock:
    """Take so many turns at once, and see how the time went."""
    clock = FakeClock()
    pace = Pace(address, clock)
    for _ in range(count):
        with pace.turn():
            pass
    return clock


def test_writes_to_a_real_forge_go_through_a_bucket() -> None:
    """Twenty at once, then one a second, five hundred in an hour; on this machine there is no pause."""
    far, near = "https://forge.example.org", "http://127.0.0.1:1/api/v3"
    assert turns(near, 600).slept == []
    assert turns(far, BURST).slept == []
    assert turns(far, BURST + 3).slept == [1.0] * 3
    assert turns(far, HOURLY).time == HOURLY - BURST
    # The first twenty of the hour's five hundred come free together, an hour after they went.
    later = turns(far, HOURLY + BURST)
    assert later.time == 3600.0
    assert later.slept[HOURLY - BURST] == 3600.0 - (HOURLY - BURST)


def test_deletions_do_not_count_in_the_hour() -> None:
    """GitHub limits what an hour may create; deletions keep the pace of one a second alone."""
    clock = FakeClock()
    pace = Pace("https://forge.example.org", clock)
    for _ in range(HOURLY + BURST + 1):
        with pace.turn(deletes=True):
            pass
    assert clock.slept == [1.0] * (HOURLY + 1)


def test_a_bucket_fills_while_nothing_is_written() -> None:
    """And holds no more than it did at first."""
    clock = FakeClock()
    pace = Pace("https://forge.example.org", clock)
    for idle in (0.0, 5.0, 1000.0):
        clock.time += idle
        for _ in range(BURST):
            with pace.turn():
                pass
    assert clock.slept == [1.0] * (BURST - 5)


def test_reads_wait_side_by_side() -> None:
    """Sixty reads at once, then twelve a second, whoever sends them; on this machine there is no pause."""
    far, near = "https://forge.example.org", "http://127.0.0.1:1/api/v3"
    for address, count, seconds in ((near, 500, 0.0), (far, READ_BURST, 0.0), (far, READ_BURST + 24, 2.0)):
        clock = FakeClock()
        pace = ReadPace(address, clock)
        for _ in range(count):
            pace.wait()
        assert abs(clock.now() - seconds) < 1e-6
