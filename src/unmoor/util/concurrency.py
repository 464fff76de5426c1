"""Threads that never keep the program from ending: many items in parallel, one call within a time limit."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """A call did not return in time."""


def run_parallel(items: Iterable[T], work: Callable[[T], None], *, width: int) -> tuple[BaseException, ...]:
    """Call ``work`` for every item, on at most ``width`` daemon threads. Return its exceptions, earliest first.

    After a failure no further item starts; those already running are waited for. `concurrent.futures` is
    no choice here: the program would wait for its pool at exit, even for a hanging upload.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    failures: list[BaseException] = []

    def run() -> None:
        while not failures:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                work(item)
            except BaseException as error:  # noqa: BLE001 - the caller's thread is where it belongs
                failures.append(error)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
        for _ in range(min(width, waiting.qsize()))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tuple(failures)


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """Call on a daemon thread and return what it returns. Raises what it raises, and `NoAnswer` after so many seconds.

    A thread cannot be stopped: one that hangs is left behind, and ends with the program.
    """
    outcome: list[tuple[T] | Exception] = []

    def run() -> None:
        try:
            outcome.append((call(),))
        except Exception as error:  # noqa: BLE001 - the caller's thread is where it belongs
            outcome.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    match outcome:
        case [(answer,)]:
            return answer
        case [Exception() as error]:
            raise error
        case _:
            raise NoAnswer
