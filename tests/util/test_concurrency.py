"""Side by side: everything once, never more at a time than asked for, nothing begun after a failure."""

from __future__ import annotations

import contextvars
import threading

import pytest

from unmoor.util.concurrency import NoAnswer, call_within, run_parallel


@pytest.mark.parametrize(("items", "width", "threads"), [(0, 8, 0), (1, 8, 1), (5, 8, 5), (50, 8, 8), (50, 1, 1)])
def test_every_item_is_done_once(items: int, width: int, threads: int) -> None:
    """By no more threads than are asked for, none of which keeps the program from ending."""
    done: list[int] = []
    seen: set[threading.Thread] = set()
    voice = contextvars.ContextVar("voice", default="")
    voice.set("the caller's")

    def work(item: int) -> None:
        done.append(item)
        seen.add(threading.current_thread())
        assert voice.get() == "the caller's"
        assert threading.current_thread().daemon

    assert run_parallel(range(items), work, width=width) == ()
    assert sorted(done) == list(range(items))
    assert len(seen) <= threads


def test_after_a_failure_nothing_is_begun() -> None:
    """What was begun ends; what else failed meanwhile is handed over too, the earliest first."""
    begun: list[int] = []
    all_there = threading.Barrier(3)
    broken: list[threading.Thread] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            broken.append(threading.current_thread())
        all_there.wait(10)
        if item == 0:
            raise KeyError(item)
        broken[0].join(10)
        if item == 1:
            raise ValueError(item)

    failures = run_parallel(range(9), work, width=3)
    assert [type(each) for each in failures] == [KeyError, ValueError]
    assert sorted(begun) == [0, 1, 2]


def test_a_call_in_time_returns_or_raises_what_it_does() -> None:
    """``None`` too, and an error that is about time itself; in the caller's context, on a daemon thread."""
    voice = contextvars.ContextVar("voice", default="")
    voice.set("the caller's")
    assert call_within(10.0, voice.get) == "the caller's"
    assert call_within(10.0, lambda: None) is None
    assert call_within(10.0, lambda: threading.current_thread().daemon)

    def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        call_within(10.0, fail)


def test_a_call_that_hangs_is_left_behind() -> None:
    """The caller goes on."""
    done = threading.Event()
    try:
        with pytest.raises(NoAnswer):
            call_within(0.01, done.wait)
    finally:
        done.set()
