"""When to retry a request: the wait from `Retry-After`, a default if there is none, and a limit on the total wait.

Each adapter words its own error for a busy server; this module decides the times. `Retries` is for requests that are
refused or fail, `second_look` for complete answers that cannot be right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Self, TypeVar

import msgspec

from unmoor.errors import Cause, Conflict, Unknown, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure as error_of
from unmoor.ports.poll import time_left
from unmoor.util.announce import announce
from unmoor.util.text import duration

T = TypeVar("T")
LONGEST = 30 * 86_400.0
"""The longest wait, in seconds, whatever a server asks for."""
_RESET = re.compile(r"(?:^|[;,\s])t\s*=\s*(\d{1,9})(?:$|[;,\s])")


class ServerBusy(Unknown):
    """The server did nothing, and asks to retry in ``wait`` seconds.

    ``final`` means that the waiting is used up. An outer request then treats it as a fault and does not wait again.
    """

    def __init__(self, what: str, *, where: str, wait: float) -> None:
        super().__init__(what, where=where, wait=wait)
        self.cause = Cause.LATER
        self.final = False

    def as_final(self) -> Self:
        """Return the same error with ``final`` set."""
        error = self.amended()
        error.final = True
        return error


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often to retry a request, and how long to wait. All times are in seconds.

    - ``pauses``: the pause before each retry after a fault;
    - ``faults``: the errors that count as a fault;
    - ``within``: no retry after a fault once this much time has passed since the first try;
    - ``patience``: the most time to wait as a server asks, all waits together;
    - ``waits``: the most waits for a busy server;
    - ``writes``: the request changes something on the server.
    """

    pauses: tuple[float, ...] = (0.5, 2.0)
    faults: tuple[type[UnmoorError], ...] = (Unknown,)
    within: float = math.inf
    patience: float = 0.0
    waits: float = math.inf
    writes: bool = False

    def call(self, send: Callable[[], T], clock: Clock | None) -> T:
        """Send, and retry if that may help; without a clock, try once. Raises the error of the last try.

        Waits for a busy server as long as it asks for, or not at all if that exceeds the limits or the clock's
        patience: then a write raises `TryLater`. A fault may ask for a wait too. A write that is not repeated is over
        only after that wait, so that the caller may look at the server and send it again at once.
        """
        started = clock.now() if clock else 0.0
        pauses = iter(self.pauses)
        ends = started + (clock.patience if clock else math.inf)
        left = self.patience if clock is None else min(self.patience, clock.patience, time_left(clock))
        count = 0
        while True:
            wait: float | None = None
            try:
                return send()
            except UnmoorError as error:
                failure = error
            final = isinstance(failure, ServerBusy) and failure.final
            busy = isinstance(failure, ServerBusy) and not final
            asked = failure.wait if isinstance(failure, Unknown) and not final else 0.0
            if (busy or asked) and (clock is None or asked > left or (busy and count >= self.waits)):
                raise self._put_off(failure) from failure
            if busy:
                wait, count = asked, count + 1
            elif self._may_repeat(failure) and clock is not None and clock.now() - started <= self.within:
                pause = next(pauses, None)
                most = min(time_left(clock), ends - clock.now())
                wait = None if pause is None or pause > most else max(pause, asked)
            elif asked and self.writes and clock is not None:
                announce(f"{failure.what}: waiting {duration(asked)} as requested")
                clock.sleep(asked)
            if clock is None or wait is None:
                raise failure
            left -= asked
            if asked:
                announce(f"{failure.what}: waiting {duration(wait)} as requested")
            clock.sleep(wait)

    def _may_repeat(self, failure: UnmoorError) -> bool:
        return isinstance(failure, self.faults) and failure.retryable

    def _put_off(self, failure: UnmoorError) -> UnmoorError:
        """The error for a server that asks for a longer wait than there may be."""
        if self.writes and failure.cause is Cause.LATER:
            return error_of(Cause.LATER, failure.what, where=failure.where, writes=True, wait=failure.wait)
        return failure.as_final() if isinstance(failure, ServerBusy) else failure


def second_look(read: Callable[[], T]) -> T:
    """Read, and read once more if the answer is complete but not the server's own, or holds other bytes.

    Something between this machine and the server may have damaged it. Raises the error of the last try.
    """
    try:
        return read()
    except UnmoorError as error:
        if not isinstance(error, Conflict) and error.cause is not Cause.NONSENSE:
            raise
    return read()


def is_busy(status: int, asked: float | None) -> bool:
    """Whether an answer means "later": 429, or 503 with a requested wait of ``asked`` seconds."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None)


def time_to_wait(asked: float | None, *, default: float, least: float = 0.0, most: float = LONGEST) -> float:
    """Seconds to wait for a busy server: ``asked``, or ``default`` if it is ``None``, from ``least`` to ``most``."""
    return min(max(default if asked is None else asked, least), most)


def requested_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait before a retry, ``None`` if it does not say.

    Reads ``Retry-After`` (RFC 9110, section 10.2.3: seconds, or a date relative to the answer's own ``Date``) and
    the ``t`` of ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers), and returns the longer one. Never negative, and
    at most thirty days. Header names are case-insensitive.
    """
    # Not by requests' own dictionary: what talks to a server by another library need not import requests for this.
    named = {name.lower(): value for name, value in headers.items()}
    waits = [_retry_after(named, now or datetime.now(UTC))]
    if reset := _RESET.search(named.get("ratelimit", "")):
        waits.append(float(reset[1]))
    known = [wait for wait in waits if wait is not None]
    return min(max(*known, 0.0), LONGEST) if known else None


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    until = read_date(text)
    return None if until is None else (until - (read_date(headers.get("date", "")) or now)).total_seconds()


def read_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it (RFC 9110, section 5.6.7); ``None`` for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
