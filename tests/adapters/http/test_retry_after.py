"""When a request is retried: the wait from the headers, and the limit on the total wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.retry_after import (
    LONGEST,
    Retries,
    ServerBusy,
    is_busy,
    requested_wait,
    second_look,
    time_to_wait,
)
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import Cause, Conflict, Denied, TryLater, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.poll import ending_at

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "120"}, 120.0),
        ({"retry-after": "120"}, 120.0),
        ({"RETRY-AFTER": " 5 "}, 5.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "\u0661"}, None),
        ({"Retry-After": "999999999999"}, 30 * 86400.0),
        ({"Retry-After": "9999999999999"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:30"}, 90.0),
        ({"Retry-After": "Saturday, 21-Nov-26 12:01:30 GMT"}, 90.0),
        ({"Retry-After": "Sat, 21 Nov 2026 13:01:30 +0100"}, 90.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "Sat, 21 Nov 2099 11:00:00 GMT"}, 30 * 86400.0),
        ({"Retry-After": "Sat, 31 Feb 2026 11:00:00 GMT"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:30 GMT", "Date": "Sat, 21 Nov 2026 12:01:00 GMT"}, 30.0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:30 GMT", "Date": "today"}, 90.0),
        ({"RateLimit": "limit=4, remaining=0, reset=10, t=50"}, 50.0),
        ({"ratelimit": "t=50"}, 50.0),
        ({"RateLimit": '"project.create.user";r=0;t=86400'}, 86400.0),
        ({"RateLimit": "result=9"}, None),
        ({"RateLimit": "t=20", "Retry-After": "10"}, 20.0),
        ({"RateLimit": "t=20", "Retry-After": "30"}, 30.0),
    ],
)
def test_requested_wait(headers: dict[str, str], expected: float | None) -> None:
    """Reads seconds, dates and rate limits, the longer one counts; an invalid value is no wait."""
    assert requested_wait(headers, NOW) == expected


@given(st.text(), st.text(), st.text())
def test_any_header_gives_a_bounded_wait(after: str, date: str, limit: str) -> None:
    """The wait is within its bounds whatever the headers contain."""
    wait = requested_wait({"Retry-After": after, "Date": date, "RateLimit": limit})
    assert wait is None or 0 <= wait <= 30 * 86400


@given(st.integers(-100_000, 100_000))
def test_a_date_is_measured_against_now(seconds: int) -> None:
    """A date in the past means no wait."""
    assert requested_wait({"Retry-After": format_datetime(NOW + timedelta(seconds=seconds))}, NOW) == max(0, seconds)


@pytest.mark.parametrize(
    ("asked", "bounds", "expected"),
    [
        (None, {}, 5.0),
        (7.0, {}, 7.0),
        (0.0, {}, 0.0),
        (0.0, {"least": 1.0}, 1.0),
        (None, {"least": 9.0}, 9.0),
        (7000.0, {"most": 3600.0}, 3600.0),
        (None, {"most": 3.0}, 3.0),
        (2 * LONGEST, {}, LONGEST),
    ],
)
def test_the_time_to_wait(asked: float | None, bounds: dict[str, float], expected: float) -> None:
    """The requested wait counts, or the adapter's default if there is none, both within bounds."""
    assert time_to_wait(asked, default=5.0, **bounds) == expected


@pytest.mark.parametrize(
    ("status", "asked", "expected"),
    [(429, None, True), (429, 5.0, True), (503, 0.0, True), (503, None, False), (500, 5.0, False), (200, 5.0, False)],
)
def test_which_answers_mean_later(status: int, asked: float | None, *, expected: bool) -> None:
    """A 503 means "later" only with a time; without one it is a fault."""
    assert is_busy(status, asked) is expected


def busy(wait: float) -> Callable[[], UnmoorError]:
    """A server that asks to retry later."""
    return lambda: ServerBusy("busy", where="", wait=wait)


def fault() -> UnmoorError:
    """A temporary fault."""
    return Unknown("a fault")


def never() -> UnmoorError:
    """A fault that a retry does not change."""
    return Unknown("a fault", next_step=NextStep("correct it"), retryable=False)


def asking(wait: float) -> Callable[[], UnmoorError]:
    """A 503 that asks for a wait."""
    return lambda: failure(Cause.LATER, "503", wait=wait)


def no() -> UnmoorError:
    """An answer that a retry does not change."""
    return Denied("no", next_step=NOTHING)


Trouble = Callable[[], UnmoorError]


@pytest.mark.parametrize(
    ("policy", "troubles", "slept", "raised"),
    [
        ({}, [], [], None),
        ({}, [fault, fault], [0.5, 2.0], None),
        ({}, [fault, fault, fault], [0.5, 2.0], Unknown),
        ({}, [no], [], Denied),
        ({"pauses": ()}, [fault], [], Unknown),
        ({"faults": ()}, [fault], [], Unknown),
        ({"within": 1.0}, [fault, fault, fault], [0.5, 2.0], Unknown),
        ({"within": 1.0, "pauses": (2.0, 2.0)}, [fault, fault], [2.0], Unknown),
        ({}, [busy(1)], [], ServerBusy),
        ({"patience": 10.0}, [busy(4), busy(6)], [4.0, 6.0], None),
        ({"patience": 10.0}, [busy(4), busy(7)], [4.0], ServerBusy),
        ({"patience": 10.0}, [busy(11)], [], ServerBusy),
        ({"patience": 10.0, "waits": 2}, [busy(1)] * 2, [1.0, 1.0], None),
        ({"patience": 10.0, "waits": 2}, [busy(1)] * 3, [1.0, 1.0], ServerBusy),
        ({"patience": 10.0, "waits": 0}, [busy(0)], [], ServerBusy),
        ({"patience": 10.0}, [fault, busy(10), fault], [0.5, 10.0, 2.0], None),
        ({"patience": 10.0, "pauses": ()}, [busy(10)], [10.0], None),
        ({}, [never], [], Unknown),
        ({"patience": 10.0}, [asking(4)], [4.0], None),
        ({"patience": 10.0}, [asking(0.1), asking(9)], [0.5, 9.0], None),
        ({"patience": 10.0}, [asking(4), asking(7)], [4.0], Unknown),
        ({"patience": 10.0, "faults": ()}, [asking(4)], [], Unknown),
        ({"patience": 10.0, "faults": (), "writes": True}, [asking(4)], [4.0], Unknown),
        ({"patience": 10.0, "faults": (), "writes": True}, [asking(11)], [], TryLater),
        ({"patience": 10.0, "writes": True}, [busy(4), busy(7)], [4.0], TryLater),
        ({"patience": 10.0, "writes": True}, [busy(4)], [4.0], None),
        ({"writes": True}, [fault, fault, fault], [0.5, 2.0], Unknown),
    ],
)
def test_retries(
    policy: dict[str, Any], troubles: list[Trouble], slept: list[float], raised: type[UnmoorError] | None
) -> None:
    """Retries after pauses for faults and after the requested wait for busy servers; raises all else at once."""
    clock = FakeClock()
    left = iter(troubles)

    def send() -> str:
        trouble = next(left, None)
        if trouble is not None:
            raise trouble()
        return "done"

    if raised is None:
        assert Retries(**policy).call(send, clock) == "done"
    else:
        with pytest.raises(UnmoorError) as caught:
            Retries(**policy).call(send, clock)
        assert type(caught.value) is raised
    assert clock.slept == slept
    assert next(left, None) is None


@pytest.mark.parametrize(
    ("left", "troubles", "slept", "raised"),
    [
        (9.0, [busy(4), busy(6)], [4.0], ServerBusy),
        (10.0, [busy(4), busy(6)], [4.0, 6.0], None),
        (1.0, [fault, fault], [0.5], Unknown),
        (0.0, [fault], [], Unknown),
        (5.0, [asking(6)], [], Unknown),
    ],
)
def test_no_retry_outlasts_the_wait_around_it(
    left: float, troubles: list[Trouble], slept: list[float], raised: type[UnmoorError] | None
) -> None:
    """Whoever waits with a limit of their own ends no later for it."""
    clock, queue = FakeClock(time=100.0), list(troubles)

    def send() -> str:
        if queue:
            trouble = queue.pop(0)
            raise trouble()
        return "done"

    with ending_at(100.0 + left):
        if raised is None:
            assert Retries(patience=60.0).call(send, clock) == "done"
        else:
            with pytest.raises(raised):
                Retries(patience=60.0).call(send, clock)
    assert clock.slept == slept


@pytest.mark.parametrize(
    ("troubles", "reads"),
    [
        ([], 1),
        ([Conflict("other bytes", next_step=NextStep("no"))], 2),
        ([failure(Cause.NONSENSE, "a login page")], 2),
        ([Conflict("other bytes", next_step=NextStep("no"))] * 2, 2),
        ([Unknown("a fault")], 1),
        ([Denied("no", next_step=NOTHING)], 1),
    ],
)
def test_second_look(troubles: list[UnmoorError], reads: int) -> None:
    """An answer that cannot be right is read once more; every other error is raised at once."""
    queue, seen = list(troubles), []

    def read() -> str:
        seen.append(1)
        if queue:
            raise queue.pop(0)
        return "right"

    if len(troubles) == reads:
        with pytest.raises(type(troubles[0])):
            second_look(read)
    else:
        assert second_look(read) == "right"
    assert len(seen) == reads


@pytest.mark.parametrize("trouble", [fault, busy(1)])
def test_without_a_clock_nothing_is_sent_again(trouble: Trouble) -> None:
    """Without a clock, the first error is raised."""
    sent: list[int] = []

    def send() -> None:
        sent.append(1)
        raise trouble()

    with pytest.raises(Unknown):
        Retries(patience=10.0).call(send, None)
    assert sent == [1]


def test_a_server_is_waited_for_once_in_all() -> None:
    """If a nested request gives up on a busy server, the outer one treats it as a fault, with its own pauses."""
    clock = FakeClock()
    retries = Retries(patience=10.0)
    trouble = busy(10)

    def send() -> None:
        raise trouble()

    with pytest.raises(ServerBusy):
        retries.call(lambda: retries.call(send, clock), clock)
    assert clock.slept == [10.0, 0.5, 10.0, 2.0, 10.0]
