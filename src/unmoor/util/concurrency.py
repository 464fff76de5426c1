"""Do one thing to many items in parallel, on threads that never keep the program from ending."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


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
