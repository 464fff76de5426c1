"""The one loop that waits: look, and look again later, within bounds.

Adapters that repeat a request ask `time_left`, so that no wait inside a look outlasts the wait around it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar, cast

from unmoor.errors import Cause, UnmoorError
from unmoor.ports.clock import Clock

T = TypeVar("T")
# Seconds that a program which talks to a server may take besides, for its own work.
_OWN_WORK = 30.0
_deadline: ContextVar[float] = ContextVar("unmoor_deadline", default=math.inf)


@contextlib.contextmanager
def ending_at(ends: float) -> Iterator[None]:
    """Let no wait in this context, and in this thread, go past a time of the clock."""
    token = _deadline.set(min(ends, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(token)


def time_left(clock: Clock) -> float:
    """Seconds that a request may still wait before it is repeated. Infinite if nothing limits it."""
    return _deadline.get() - clock.now()


def tries(pauses: Iterable[float], clock: Clock | None) -> Iterator[None]:
    """Pause before each try. They end with the clock's patience, but the first one always comes.

    Without a clock, the tries are those without a pause.
    """
    if clock is None:
        yield from (None for pause in pauses if not pause)
        return
    ends = clock.now() + clock.patience
    for number, pause in enumerate(pauses):
        if number and clock.now() + pause >= ends:
            return
        clock.sleep(pause)
        yield


def program_time(limit: float, patience: float) -> float:
    """Seconds that a program which talks to a server may run, instead of ``limit``, if there is so much patience."""
    return min(limit, patience + _OWN_WORK)


def poll(
    look: Callable[[], T],
    *,
    waits: Iterable[float],
    clock: Clock,
    until: Callable[[T], bool] = lambda seen: seen is not None,
    deadline: float = math.inf,
    silence: float = math.inf,
    forgiven: tuple[type[UnmoorError], ...] = (),
    missed: Callable[[T | None], None] = lambda _: None,
) -> T:
    """Look again and again until ``until`` says yes. Returns what was seen last, also if that never happened.

    ``waits`` are seconds, one before each look, the first one too. They are taken one at a time, so a
    generator may end them early. ``deadline`` is in seconds from now, and no longer than
    the clock's patience: it cuts the wait that would pass it, and the look after that one is the last. The first look
    always comes.

    Errors of the ``forgiven`` kinds mean that nothing was seen; one at the last look is raised. If one asks for a wait,
    the next look comes no sooner; if that is too long, it is raised at once. So is one whose cause is
    `Cause.UNREACHABLE`, since the adapter has tried that address more than once. Every other error ends the loop. So do
    forgiven ones for ``silence`` seconds, with nothing else between them. Before it waits again, ``missed`` is called
    with what was seen, ``None`` after a forgiven error. Raises ``ValueError`` if there are no ``waits``.
    """
    ends = clock.now() + min(deadline, clock.patience)
    heard = clock.now()
    looked = False
    seen: T | None = None
    trouble: UnmoorError | None = None
    for planned in waits:
        left = ends - clock.now()
        wait = max(planned, trouble.wait) if trouble is not None else planned
        if trouble is not None and trouble.wait > left:
            break
        if looked:
            if left <= 0:
                break
            missed(seen)
        # A wait of 0 too: the clock's sleep is where a run that is being stopped ends.
        clock.sleep(max(0.0, min(wait, left)))
        looked, seen, trouble = True, None, None
        try:
            with ending_at(ends):
                seen = look()
        except forgiven as error:
            trouble = error
            if error.cause is Cause.UNREACHABLE or clock.now() - heard >= silence:
                break
            continue
        heard = clock.now()
        if until(seen):
            return seen
    if trouble is not None:
        raise trouble
    if not looked:
        raise ValueError("without waits there is no look")
    return cast("T", seen)


def growing(first: float, longest: float) -> Iterator[float]:
    """Waits for `poll`, in seconds, without end: 0, ``first``, then each twice the last, but at most ``longest``."""
    yield 0.0
    while True:
        yield first
        first = min(first * 2, longest)
