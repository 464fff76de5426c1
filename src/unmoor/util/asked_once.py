"""Questions that are asked once: many threads get the one answer, or the one error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from unmoor.errors import Internal, Interrupted, UnmoorError

T = TypeVar("T")


@dataclass(frozen=True)
class AskedOnce:
    """Keeps the answer to each question, or the error, so that a server that fails is not asked a thousand times."""

    _answers: dict[Hashable, tuple[Any, UnmoorError | None]] = field(default_factory=dict)
    _locks: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer to a question, from the first call that asked it. Raises what that raised."""
        with self._lock:
            lock = self._locks.setdefault(question, threading.Lock())
        with lock:
            if question not in self._answers:
                self._answers[question] = _answer_of(ask)
            answer, error = self._answers[question]
        if error is not None:
            raise error
        found: T = answer
        return found


def _answer_of(ask: Callable[[], T]) -> tuple[T | None, UnmoorError | None]:
    try:
        return ask(), None
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return None, error
