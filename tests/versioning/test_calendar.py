"""Recognise versions by the calendar, and count on."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version

from unmoor.versioning.calendar import DatedRelease, calendar_units, next_by_calendar

TODAY = date(2026, 11, 29)


def released(text: str) -> list[DatedRelease]:
    """Read releases such as ``2026.1@2026-01-15``."""
    pairs = (each.split("@") for each in text.split())
    return [DatedRelease(version=Version(version), day=date.fromisoformat(day)) for version, day in pairs]


@pytest.mark.parametrize(
    ("text", "units", "following"),
    [
        ("2026.9.7@2026-09-07 2026.10.30@2026-10-30", "year.month.day", "2026.11.29"),
        ("2026.9.0@2026-09-07 2026.10.2@2026-10-30", "year.month.counter", "2026.11.0"),
        ("2026.11.0@2026-11-07 2026.11.1@2026-11-20", "year.month.counter", "2026.11.2"),
        ("26.9@2026-09-07 26.10@2026-10-30", "year.month", "26.11"),
        ("26.10@2026-10-07 26.11@2026-11-01", "year.month", "26.11.1"),
        ("25.1.0@2025-01-07 26.3.0@2026-05-30", "year.counter.0", "26.4.0"),
        ("24.2.0@2024-03-07 25.1.0@2025-01-07", "year.counter.0", "26.1.0"),
        ("2025.1@2025-03-07 2026.1@2026-02-01 2026.2@2026-06-01", "year.counter", "2026.3"),
        ("1.2.3@2026-01-07", "", ""),
        ("26.1.0@2021-01-07", "", ""),
        ("", "", ""),
    ],
)
def test_the_days_of_the_tags_tell_what_the_numbers_count(text: str, units: str, following: str) -> None:
    """A number is a year, month or day only if it was that in every release that is looked at."""
    releases = released(text)
    found = calendar_units(releases)
    assert ".".join(found) == units
    if found:
        taken = [each.version for each in releases]
        assert str(next_by_calendar(found, max(taken), TODAY, taken)) == following
