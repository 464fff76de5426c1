"""What an index says besides its pages: its own words in a refusal, and when to come back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from http import HTTPStatus

from unmoor.adapters.http.session import Response
from unmoor.util.text import clean

_LOOKED_AT = 20_000
_LONGEST_WAIT = 30 * 86_400.0
_RESET = re.compile(r"(?:^|[;,\s])t\s*=\s*(\d{1,9})(?:$|[;,\s])")


class _Text(HTMLParser):
    """The visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - theirs
        """Skip what is not shown; the title repeats the heading."""
        self._hidden += tag in {"script", "style", "title"}

    def handle_endtag(self, tag: str) -> None:
        """Show again."""
        self._hidden -= tag in {"script", "style", "title"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._hidden:
            self.pieces.append(data)


def words(answer: Response) -> str:
    """What the server says about an answer, in one clean line: the status line if it was written for us, else the body.

    PyPI puts the reason into the status line; HTTP/2 and other indexes have it in the body alone.
    """
    try:
        usual = HTTPStatus(answer.status).phrase
    except ValueError:
        usual = ""
    said = answer.reason
    if said and said.casefold() != usual.casefold():
        return said
    return _from_body(answer) or said or "no reason given"


def _from_body(answer: Response) -> str:
    text = answer.body[:_LOOKED_AT].decode("utf-8", "replace")
    if answer.kind.endswith("json"):
        try:
            value = json.loads(text)
        except ValueError:
            return clean(text)
        found = [value.get(key) for key in ("message", "error", "detail", "reason")] if isinstance(value, dict) else []
        return clean(next((each for each in found if isinstance(each, str)), text))
    if "html" in answer.kind:
        page = _Text()
        page.feed(text)
        return clean(" ".join(page.pieces))
    return clean(text)


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until the server wants to be asked again, ``None`` where it does not say.

    Reads ``Retry-After`` (RFC 9110: seconds, or a date, measured against the answer's own ``Date``)
    and the ``t`` of ``RateLimit``. Never negative, at most thirty days; the longer one counts.
    """
    waits = [_retry_after(headers, now or datetime.now(UTC))]
    if reset := _RESET.search(headers.get("RateLimit", "")):
        waits.append(float(reset[1]))
    said = [wait for wait in waits if wait is not None]
    return min(max(*said, 0.0), _LONGEST_WAIT) if said else None


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
