"""The polling loop: its intervals, the errors that it tolerates, and its deadline."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat

import pytest
from tests.support.sample_values import FakeClock

from unmoor.advice import NOTHING
from unmoor.errors import Cause, Denied, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.poll import ending_at, growing, poll, time_left

LOST = Unknown("no answer", where="", next_step=NOTHING)
LATER = Unknown("no answer again", where="", next_step=NOTHING)
NO = Denied("no", where="", next_step=NOTHING)
Answer = int | None | UnmoorError


@dataclass
class Looks:
    """Gives prepared answers, one a look, the last one again and again; each look takes ``cost`` seconds."""

    answers: Sequence[Answer]
    clock: FakeClock = field(default_factory=FakeClock)
    cost: float = 0.0
    times: list[float] = field(default_factory=list)

    def __call__(self) -> int | None:
        """Look once."""
        answer = self.answers[min(len(self.times), len(self.answers) - 1)]
        self.times.append(self.clock.time)
        self.clock.time += self.cost
        if isinstance(answer, UnmoorError):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answers", "seen", "times"),
    [
        ([1], 1, [0]),
        ([0], 0, [0]),
        ([None, 2], 2, [0, 1]),
        ([None, LOST, None, 3], 3, [0, 1, 3, 7]),
        ([None], None, [0, 1, 3, 7]),
        ([LOST, LATER, LOST, None], None, [0, 1, 3, 7]),
    ],
)
def test_until_it_is_there(answers: Sequence[Answer], seen: int | None, times: list[float]) -> None:
    """A look follows each wait until something is seen; what the last look saw is returned either way."""
    looks = Looks(answers)
    assert poll(looks, waits=(0.0, 1.0, 2.0, 4.0), clock=looks.clock, forgiven=(Unknown,)) == seen
    assert looks.times == times
    assert looks.clock.slept == [0.0, 1.0, 2.0, 4.0][: len(times)]


@pytest.mark.parametrize(
    ("answers", "raised", "count"),
    [
        ([LOST, None, LATER], LATER, 3),
        ([LOST], LOST, 3),
        ([NO], NO, 1),
        ([None, NO, 1], NO, 2),
    ],
)
def test_errors(answers: Sequence[Answer], raised: UnmoorError, count: int) -> None:
    """A forgiven error is raised if the last look meets it; every other one at once."""
    looks = Looks(answers)
    with pytest.raises(type(raised)) as caught:
        poll(looks, waits=(0.0, 1.0, 2.0), clock=looks.clock, forgiven=(Unknown,))
    assert caught.value is raised
    assert len(looks.times) == count


@pytest.mark.parametrize(
    ("answers", "ended"),
    [
        ([LOST], 10.0),
        ([None, LOST], 11.0),
        ([LOST, LOST, None, LOST], 13.0),
        ([*[LOST, None] * 40], 60.0),
    ],
)
def test_a_silence_ends_the_loop(answers: Sequence[Answer], ended: float) -> None:
    """Whoever gives no answer for so long is gone; each answer counts, also one that is not the wanted one."""
    looks = Looks(answers)
    with contextlib.suppress(Unknown):
        poll(looks, waits=repeat(1.0), clock=looks.clock, deadline=60.0, silence=10.0, forgiven=(Unknown,))
    assert looks.clock.time == ended


def test_nothing_is_forgiven_unasked() -> None:
    """Without a word about errors each of them ends the loop."""
    looks = Looks([LOST, 1])
    with pytest.raises(Unknown):
        poll(looks, waits=(0.0, 1.0), clock=looks.clock)
    assert len(looks.times) == 1


@pytest.mark.parametrize(
    ("deadline", "cost", "times"),
    [
        (0.0, 0.0, [0]),
        (0.0, 5.0, [0]),
        (4.0, 0.0, [0, 1, 3, 4]),
        (7.0, 0.0, [0, 1, 3, 7]),
        (9.0, 0.0, [0, 1, 3, 7, 9]),
        (9.0, 3.0, [0, 4, 9]),
        (2.0, 3.0, [0]),
    ],
)
def test_deadline(deadline: float, cost: float, times: list[float]) -> None:
    """The last look comes when the deadline does, however long the looks take; the first one always comes."""
    looks = Looks([None], cost=cost, clock=FakeClock(time=100.0))
    assert poll(looks, waits=growing(1.0, 4.0), clock=looks.clock, deadline=deadline) is None
    assert looks.times == [100 + time for time in times]


def test_the_first_wait_counts() -> None:
    """A wait before the first look is waited, and is cut by the deadline."""
    looks = Looks([1])
    assert poll(looks, waits=(5.0,), clock=looks.clock, deadline=3.0) == 1
    assert looks.clock.slept == [3.0]


@pytest.mark.parametrize(
    ("until", "seen", "count"),
    [(lambda n: n > 2, 3, 3), (lambda n: n > 9, 4, 4), (lambda _: True, 1, 1)],
)
def test_own_end(until: Callable[[int | None], bool], seen: int, count: int) -> None:
    """What counts as enough is the caller's to say; where nothing is enough, the last thing seen is returned."""
    looks = Looks([1, 2, 3, 4])
    assert poll(looks, waits=(1.0,) * 4, clock=looks.clock, until=until) == seen
    assert len(looks.times) == count


def test_missed() -> None:
    """After each look except the last, ``missed`` gets what was seen."""
    looks = Looks([7, LOST, 8, 9])
    reports: list[tuple[int | None, float]] = []
    poll(
        looks,
        waits=(0.0, 1.0, 1.0, 1.0),
        clock=looks.clock,
        until=lambda _: False,
        forgiven=(Unknown,),
        missed=lambda seen: reports.append((seen, looks.clock.time)),
    )
    assert reports == [(7, 0.0), (None, 1.0), (8, 2.0)]


def asking(wait: float) -> UnmoorError:
    """An error of a server that asks for a wait."""
    return failure(Cause.LATER, "busy", wait=wait)


@pytest.mark.parametrize(
    ("answers", "deadline", "times", "raised"),
    [
        ([asking(3), 1], 10.0, [0, 3], None),
        ([asking(0.5), 1], 10.0, [0, 1], None),
        ([asking(3), None, 1], 10.0, [0, 3, 5], None),
        ([asking(10), 1], 10.0, [0, 10], None),
        ([asking(11), 1], 10.0, [0], Unknown),
        ([None, asking(10), 1], 10.0, [0, 1], Unknown),
        ([asking(3), asking(8), 1], 10.0, [0, 3], Unknown),
        ([failure(Cause.UNREACHABLE, "refused"), 1], 900.0, [0], Unknown),
        ([None, failure(Cause.UNREACHABLE, "refused"), 1], 900.0, [0, 1], Unknown),
        ([failure(Cause.LOST, "reset"), 1], 900.0, [0, 1], None),
    ],
)
def test_what_an_error_says_about_waiting(
    answers: Sequence[Answer], deadline: float, times: list[float], raised: type[UnmoorError] | None
) -> None:
    """No look comes sooner than a server asks for; a wait that is too long and an unreachable server end it at once."""
    looks = Looks(answers)

    def look() -> int | None:
        return poll(looks, waits=growing(1.0, 4.0), clock=looks.clock, deadline=deadline, forgiven=(Unknown,))

    if raised is None:
        assert look() == 1
    else:
        with pytest.raises(raised):
            look()
    assert looks.times == times


def test_the_time_that_is_left() -> None:
    """Within a look, requests see how long they may wait; the nearest of several limits counts."""
    clock, seen = FakeClock(time=100.0), []

    def look() -> int | None:
        seen.append(time_left(clock))
        return None

    assert time_left(clock) == math.inf
    with ending_at(107.0):
        poll(look, waits=(0.0, 2.0, 1.0), clock=clock, deadline=5.0)
        poll(look, waits=(0.0,), clock=clock, deadline=50.0)
    assert seen == [5.0, 3.0, 2.0, 4.0]
    assert time_left(clock) == math.inf


def test_waits_may_end_early() -> None:
    """Waits are taken one by one: a generator decides before each whether there is another."""
    looks = Looks([None])

    def waits() -> Iterator[float]:
        while looks.clock.time < 3:
            yield 2.0

    assert poll(looks, waits=waits(), clock=looks.clock) is None
    assert looks.times == [2, 4]


def test_no_waits() -> None:
    """Nobody can look no times at all."""
    with pytest.raises(ValueError, match="no look"):
        poll(lambda: 1, waits=(), clock=FakeClock())


def test_growing() -> None:
    """Waits double up to the longest."""
    assert list(islice(growing(0.5, 3.0), 6)) == [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]
