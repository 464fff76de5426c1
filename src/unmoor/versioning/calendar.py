"""Versions by the calendar: whether a project's are, by its tags and their days, and which one follows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec
from packaging.version import Version

_CENTURY = 100
_FIRST_YEAR = 2000
_FIRST_SHORT_YEAR = 15  # 1.2.3 is none of 2001
_LOOKED_AT = 5


class CalendarUnit(StrEnum):
    """What a number of a version counts."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    COUNTER = "counter"
    ZERO = "0"
    """Always zero, but for emergencies."""


class DatedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release, and the day of its commit."""

    version: Version
    day: date


def calendar_units(releases: Sequence[DatedRelease]) -> tuple[CalendarUnit, ...]:
    """Return what the numbers of the newest releases count, empty if they are no versions by the calendar.

    A number is a year, a month or a day if it was that of the tagged commit, give or take a day, in all of them. A year
    alone could be anything, so what follows it in several releases must be a month, or the same for all.
    """
    newest = sorted(releases, key=lambda each: each.version)[-_LOOKED_AT:]
    finals = [each for each in newest if not each.version.is_prerelease and not each.version.is_postrelease]
    lengths = {len(each.version.release) for each in finals}
    if not finals or not all(_is_year(each) for each in finals):
        return ()
    units = [CalendarUnit.YEAR]
    shortest = min(lengths)
    if shortest > 1 and all(_fits(each, 1, "month") for each in finals):
        units.append(CalendarUnit.MONTH)
        if shortest > 2 and all(_fits(each, 2, "day") for each in finals):  # noqa: PLR2004
            units.append(CalendarUnit.DAY)
    if max(lengths) > len(units):
        units.append(CalendarUnit.COUNTER)
    if len(lengths) == 1 and all(not any(each.version.release[len(units) :]) for each in finals):
        units += [CalendarUnit.ZERO] * (shortest - len(units))
    return tuple(units) if len(units) > 1 and max(lengths) <= len(units) else ()


def next_by_calendar(
    units: Sequence[CalendarUnit], newest: Version, today: date, taken: Collection[Version]
) -> Version:
    """Return the version of a day. If it is taken, or there is a counter, the number behind the date rises."""
    year = today.year if newest.release[0] >= _FIRST_YEAR else today.year % _CENTURY
    values = {CalendarUnit.YEAR: year, CalendarUnit.MONTH: today.month, CalendarUnit.DAY: today.day}
    parts = [values[unit] for unit in units if unit in values]
    zeros = [0 for unit in units if unit is CalendarUnit.ZERO]
    counts = CalendarUnit.COUNTER in units
    same = [each.release for each in taken if list(each.release[: len(parts)]) == parts]
    if not same:
        begins_at_one = counts and newest.release[len(parts) :] and min(_counters(taken, len(parts)), default=0) == 1
        return _version([*parts, *([1 if begins_at_one else 0] if counts else []), *zeros])
    counter = max(each[len(parts)] if len(each) > len(parts) else 0 for each in same) + 1
    return _version([*parts, counter, *zeros])


def _counters(taken: Collection[Version], place: int) -> list[int]:
    return [each.release[place] for each in taken if len(each.release) > place and each.release[0] >= _FIRST_SHORT_YEAR]


def _is_year(each: DatedRelease) -> bool:
    first = each.version.release[0]
    return first in {
        value for day in _near(each.day) for value in (day.year, day.year % _CENTURY) if value >= _FIRST_SHORT_YEAR
    }


def _fits(each: DatedRelease, place: int, unit: str) -> bool:
    return each.version.release[place] in {getattr(day, unit) for day in _near(each.day)}


def _near(day: date) -> tuple[date, ...]:
    """The day, and those beside it: a release is dated where its author lives, a commit in UTC."""
    return day - timedelta(days=1), day, day + timedelta(days=1)


def _version(parts: Sequence[int]) -> Version:
    return Version(".".join(map(str, parts)))
