"""Spans of time are joined, and what they leave out is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from unmoor.metrics.history.spans import TimeSpan, halves, merge, missing

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def spans(text: str) -> tuple[TimeSpan, ...]:
    """Spans as seconds from the begin: ``1-3 5-9``."""
    pairs = (each.split("-") for each in text.split())
    return tuple(TimeSpan(BEGIN + timedelta(seconds=int(a)), BEGIN + timedelta(seconds=int(b))) for a, b in pairs)


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        ("", ""),
        ("1-3 7-9", "7-9 1-3"),
        ("1-3 4-9", "1-9"),
        ("1-3 3-9", "1-9"),
        ("1-9 3-4", "1-9"),
        ("5-9 1-7", "1-9"),
        ("5-4", ""),
        ("1-1 3-3 2-2", "1-3"),
    ],
    ids=["none", "apart", "adjacent", "overlap", "inside", "unsorted", "empty", "seconds"],
)
def test_spans_are_joined(given: str, joined: str) -> None:
    """Spans that touch become one, and the newest comes first."""
    assert merge(spans(given)) == spans(joined)


@pytest.mark.parametrize(
    ("covered", "gaps"),
    [
        ("", "10-20"),
        ("10-20", ""),
        ("0-30", ""),
        ("12-14", "15-20 10-11"),
        ("10-12 18-20", "13-17"),
        ("0-12", "13-20"),
        ("18-30", "10-17"),
        ("0-5 25-30", "10-20"),
        ("20-20 10-10", "11-19"),
    ],
    ids=["none", "same", "more", "middle", "ends", "below", "above", "outside", "seconds"],
)
def test_gaps_are_found(covered: str, gaps: str) -> None:
    """Each second of the whole is covered or in one gap, and the newest gap comes first."""
    assert missing(spans("10-20")[0], spans(covered)) == spans(gaps)


@pytest.mark.parametrize(("given", "parts"), [("1-2", "2-2 1-1"), ("1-3", "3-3 1-2"), ("1-10", "6-10 1-5")])
def test_a_span_is_halved(given: str, parts: str) -> None:
    """The halves share no second, and together they are the span."""
    assert halves(spans(given)[0]) == spans(parts)
