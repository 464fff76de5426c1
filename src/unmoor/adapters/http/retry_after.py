"""When to send again: what `Retry-After` asks for, what a server that says nothing gets, and how long is waited in all.

Every adapter that talks to a server has its own words for a busy one; the times are decided here.
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
"""Seconds: no server is believed that asks for a longer wait."""
_RESET = re.compile(r"(?:^|[;,\s])t\s*=\s*(\d{1,9})(?:$|[;,\s])")


class ServerBusy(Unknown):
    """The server did nothing, and wants to be asked again in ``wait`` seconds.

    ``final``: it was waited for as long as may be. A request around the one that failed then takes
    this for a fault, and does not wait once more.
    """

    def __init__(self, what: str, *, where: str, wait: float) -> None:
        super().__init__(what, where=where, wait=wait)
        self.final = False

    def given_up(self) -> Self:
        """Return the same error, ``final``."""
        fuller = self.amended()
        fuller.final = True
        return fuller


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a request is sent again, and how long is waited for that. All times in seconds.

    - ``pauses``: one before each further try after a fault; a fault is an error of the kinds ``faults``;
    - ``within``: no further try after a fault once this much has gone since the first;
    - ``patience``: the most that is waited for a busy server, all waits together;
    - ``waits``: how often it is waited for.
    """

    pauses: tuple[float, ...] = (0.5, 2.0)
    faults: tuple[type[UnmoorError], ...] = (Unknown,)
    within: float = math.inf
    patience: float = 0.0
    waits: float = math.inf

    def call(self, send: Callable[[], T], clock: Clock | None) -> T:
        """Send, and send again where that may help; without a clock once. Raises what the last try raised.

        A busy server is waited for as long as it asks for, or not at all if that is longer than may be.
        """
        begun = clock.now() if clock else 0.0
        pauses = iter(self.pauses)
        left, count = self.patience, 0
        while True:
            wait: float | None = None
            try:
                return send()
            except UnmoorError as error:
                trouble = error
            if isinstance(trouble, ServerBusy) and not trouble.final:
                if clock is None or count >= self.waits or trouble.wait > left:
                    raise trouble.given_up() from trouble
                wait = trouble.wait
                left, count = left - wait, count + 1
            elif isinstance(trouble, self.faults) and clock is not None and clock.now() - begun <= self.within:
                wait = next(pauses, None)
            if clock is None or wait is None:
                raise trouble
            clock.sleep(wait)


def is_busy(status: int, asked: float | None) -> bool:
    """Whether an answer means "later": 429, or a 503 that asks for a wait."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None)


def time_to_wait(asked: float | None, *, unsaid: float, least: float = 0.0, most: float = LONGEST) -> float:
    """Seconds to wait for a busy server: what it asked for, else ``unsaid``; at least ``least``, at most ``most``."""
    return min(max(unsaid if asked is None else asked, least), most)


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until the server wants to be asked again, ``None`` if it does not say.

    Reads ``Retry-After`` (RFC 9110, section 10.2.3: seconds, or a date, measured against the answer's
    own ``Date``) and the ``t`` of ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers). Never
    negative, at most thirty days; the longer one counts. Names of headers in any case.
    """
    named = CaseInsensitiveDict(headers)
    waits = [_retry_after(named, now or datetime.now(UTC))]
    if reset := _RESET.search(named.get("RateLimit", "")):
        waits.append(float(reset[1]))
    said = [wait for wait in waits if wait is not None]
    return min(max(*said, 0.0), LONGEST) if said else None


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
