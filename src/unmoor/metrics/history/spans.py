"""Spans of time: which are read completely, and which are missing. All times are whole seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

SECOND: Final = timedelta(seconds=1)


class TimeSpan(NamedTuple):
    """From one second to another one, both included."""

    since: datetime
    until: datetime


def merge(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Join spans that overlap or follow each other, and return them newest first. Empty ones add nothing."""
    joined: list[TimeSpan] = []
    for span in sorted(each for each in spans if each.since <= each.until):
        if joined and span.since <= joined[-1].until + SECOND:
            joined[-1] = TimeSpan(joined[-1].since, max(span.until, joined[-1].until))
        else:
            joined.append(span)
    return tuple(reversed(joined))


def missing(whole: TimeSpan, covered: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """Return the parts of a span that no other one covers, newest first."""
    gaps: list[TimeSpan] = []
    top = whole.until
    for span in merge(covered):
        if span.since > top:
            continue
        if span.until < whole.since:
            break
        if span.until < top:
            gaps.append(TimeSpan(span.until + SECOND, top))
        top = span.since - SECOND
    if whole.since <= top:
        gaps.append(TimeSpan(whole.since, top))
    return tuple(gaps)


def halves(span: TimeSpan) -> tuple[TimeSpan, TimeSpan]:
    """Return the newer and the older half of a span of two seconds at least."""
    middle = span.since + timedelta(seconds=int((span.until - span.since).total_seconds()) // 2)
    return TimeSpan(middle + SECOND, span.until), TimeSpan(span.since, middle)
