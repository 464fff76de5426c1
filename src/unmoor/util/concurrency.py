"""Doing one thing to many items side by side, on threads that never keep a program from ending."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def run_parallel(items: Iterable[T], work: Callable[[T], None], *, width: int) -> tuple[BaseException, ...]:
    """Call ``work`` for every item, on at most ``width`` daemon threads; return what it raised, the earliest first.

    After the first failure no further item is begun; what was begun is waited for. A pool of
    `concurrent.futures` would be waited for at the end of the program too, a hanging upload included.
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
