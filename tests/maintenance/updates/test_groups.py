"""How large a step an update is."""

from __future__ import annotations

import pytest

from unmoor.maintenance.updates.groups import group_of
from unmoor.maintenance.updates.lock import LockedPackage, Move


def locked(version: str, year: int) -> LockedPackage:
    """A package of an index."""
    return LockedPackage(name="a", version=version, registry="r", year=year, entry={})


@pytest.mark.parametrize(
    ("before", "year", "after", "later", "group"),
    [
        ("1.2.3", 2025, "1.2.4", 2026, "minor"),
        ("1.2.3", 2025, "1.3", 2026, "minor"),
        ("0.4", 2025, "0.5", 2026, "minor"),
        ("1.9", 2025, "2.0", 2026, "major"),
        ("1.9", 2025, "3", 2026, "major"),
        ("2025.1", 0, "2026.2", 0, "minor"),
        ("20250101", 0, "20260101.1", 0, "minor"),
        ("24.3", 2024, "26.1", 2026, "minor"),
        ("25.1", 2026, "26.0", 2026, "minor"),
        ("13.9", 2024, "14.0", 2025, "major"),
        ("25.1", 0, "26.0", 0, "major"),
        ("9.1", 2024, "2026.1", 2026, "major"),
        ("2025.1", 2025, "1!1.0", 2026, "major"),
        ("0.9", 2000, "1.0", 2001, "major"),
    ],
)
def test_a_date_is_not_a_major_number(before: str, year: int, after: str, later: int, group: str) -> None:
    """The first number counts, unless it is the year of the upload on both sides."""
    assert group_of(Move(name="a", before=before, after=after), locked(before, year), locked(after, later)) == group
