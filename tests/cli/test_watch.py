"""The options of ``unmoor watch``."""

from __future__ import annotations

import time

import click
import pytest

from unmoor.cli.watch import Since

_DAY = 86_400.0


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("12w", 84), ("1y", 365), ("0d", 0), (" 2 W ", 14)], ids=str)
def test_an_age_is_a_time_before_now(text: str, days: int) -> None:
    """Weeks and years are so many days."""
    assert time.time() - Since().convert(text, None, None) == pytest.approx(days * _DAY, abs=60)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1970-01-02", _DAY), ("2000-01-01", 946_684_800.0), ("1900-01-01", 0.0), ("99999y", 0.0)]
)
def test_a_date_is_its_midnight(text: str, seconds: float) -> None:
    """In UTC, and never before 1970."""
    assert Since().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "90", "-1d", "1m", "2026-13-01", "9" * 400 + "d"])
def test_other_text_is_refused(text: str) -> None:
    """With examples of both."""
    with pytest.raises(click.BadParameter, match="write 90d, 12w, 1y or 2026-01-31"):
        Since().convert(text, None, None)
