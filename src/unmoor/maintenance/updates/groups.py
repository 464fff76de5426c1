"""The groups of updates: each is tried and proposed apart, the most urgent first."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from packaging.version import Version

from unmoor.maintenance.updates.lock import LockedPackage, Move

_FIRST_YEAR: Final = 1990
_CENTURY: Final = 100


class UpdateGroup(StrEnum):
    """Why, or how far, a version rises."""

    SECURITY = "security"
    """The locked version has a known vulnerability."""
    MINOR = "minor"
    """The first number of the version stays, or is a date."""
    MAJOR = "major"
    """The first number of the version rises."""


ORDER: Final = tuple(UpdateGroup)
"""The groups in the order in which they are tried. Each is based on what passed of those before it."""


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One package, and the version that it is to have."""

    name: str
    before: str
    after: str
    group: UpdateGroup

    def __str__(self) -> str:
        return f"{self.name} {self.before} -> {self.after}"


def group_of(move: Move, old: LockedPackage, new: LockedPackage) -> UpdateGroup:
    """Decide how large a step an update is. A version by the calendar has no major number.

    It is one if its first number is the year in which its files were uploaded, or obviously a year.
    """
    before, after = Version(move.before), Version(move.after)
    if (before.epoch, before.major) == (after.epoch, after.major):
        return UpdateGroup.MINOR
    if before.epoch == after.epoch and _is_dated(before.major, old.year) and _is_dated(after.major, new.year):
        return UpdateGroup.MINOR
    return UpdateGroup.MAJOR


def _is_dated(number: int, year: int) -> bool:
    """Whether the first number of a version is a year, such as 2025 or 25, or begins with one, such as 20250131."""
    for digits in (4, 6, 8):  # 2025, 202501, 20250131
        if len(str(number)) == digits and _FIRST_YEAR <= int(str(number)[:4]) < _FIRST_YEAR + _CENTURY:
            return True
    # A release may be numbered before New Year, and uploaded after it.
    return bool(year) and number in {year % _CENTURY, (year - 1) % _CENTURY} and number > 0
