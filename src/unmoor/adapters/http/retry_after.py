"""When to retry a request: the wait from `Retry-After`, a default if there is none, and a limit on the total wait.

Each adapter words its own error for a busy server; this module decides the times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Self, TypeVar

from requests.structures import CaseInsensitiveDict

from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.clock import Clock

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
        self.final = False

    def as_final(self) -> Self:
        """Return the same error with ``final`` set."""
        error = self.amended()
        error.final = True
        return error


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often to retry a request, and how long to wait. All times are in seconds.

    - ``pauses``: the pause before each retry after a fault;
    - ``faults``: the errors that count as a fault;
    - ``within``: no retry after a fault once this much time has passed since the first try;
    - ``patience``: the most time to wait for a busy server, all waits together;
    - ``waits``: the most waits for a busy server.
    """

    pauses: tuple[float, ...] = (0.5, 2.0)
    faults: tuple[type[UnmoorError], ...] = (Unknown,)
    within: float = math.inf
    patience: float = 0.0
    waits: float = math.inf

    def call(self, send: Callable[[], T], clock: Clock | None) -> T:
        """Send, and retry if that may help; without a clock, try once. Raises the error of the last try.

        Waits for a busy server as long as it asks for, or not at all if that exceeds the limits.
        """
        started = clock.now() if clock else 0.0
        pauses = iter(self.pauses)
        left, count = self.patience, 0
        while True:
            wait: float | None = None
            try:
                return send()
            except UnmoorError as error:
                failure = error
            if isinstance(failure, ServerBusy) and not failure.final:
                if clock is None or count >= self.waits or failure.wait > left:
                    raise failure.as_final() from failure
                wait = failure.wait
                left, count = left - wait, count + 1
            elif isinstance(failure, self.faults) and clock is not None and clock.now() - started <= self.within:
                wait = next(pauses, None)
            if clock is None or wait is None:
                raise failure
            clock.sleep(wait)


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
    named = CaseInsensitiveDict(headers)
    waits = [_retry_after(named, now or datetime.now(UTC))]
    if reset := _RESET.search(named.get("RateLimit", "")):
        waits.append(float(reset[1]))
    known = [wait for wait in waits if wait is not None]
    return min(max(*known, 0.0), LONGEST) if known else None


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    until = _date(text)
    return None if until is None else (until - (_date(headers.get("Date", "")) or now)).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
