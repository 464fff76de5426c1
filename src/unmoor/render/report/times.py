"""Moments and durations of a report for people, whatever stands there: a clock may be wrong, and a file anybody's."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from unmoor.util.text import duration

_LATEST: Final = 10.0**11  # seconds since 1970
_LONGEST: Final = 10.0**9  # seconds
_MINUTE: Final = 60


def moment(at: float | None) -> str:
    """A moment in UTC: ``2026-11-28 10:00:00 UTC``, empty if it is not known or is none."""
    if at is None or not 0 < at < _LATEST:
        return ""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def bounded(seconds: float) -> float:
    """A number of seconds that can be drawn: finite, neither negative nor endless."""
    return min(max(seconds, 0.0), _LONGEST) if math.isfinite(seconds) else 0.0


def span(seconds: float) -> str:
    """A duration as exact as people read it: with tenths below a minute, with seconds below an hour."""
    known = bounded(seconds)
    if known < _MINUTE:
        return f"{known:.1f} s"
    if known >= _MINUTE * _MINUTE:
        return duration(known)
    minutes, rest = divmod(round(known), _MINUTE)
    return f"{minutes} min {rest} s"
