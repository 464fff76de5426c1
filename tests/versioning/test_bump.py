"""Raise versions as uv does."""

from __future__ import annotations

import pytest
from packaging.version import Version

from unmoor.versioning.bump import VersionPart, bump_all

# What uv 0.13 prints for ``uv version --dry-run --short --bump PART…``.
UV = """
1.2.3 | major | 2.0.0
1.2.3 | minor | 1.3.0
1.2.3 | patch | 1.2.4
1.2.3 | post | 1.2.3.post1
1.2.3 | patch beta | 1.2.4b1
1.2.3 | dev major | 2.0.0.dev1
1.2.3 | minor rc | 1.3.0rc1
1.2 | major | 2.0
1.2 | minor | 1.3
1.2 | patch | 1.2.1
1.2.3a1 | stable | 1.2.3
1.2.3a1 | alpha | 1.2.3a2
1.2.3a1 | beta | 1.2.3b1
1.2.3a1 | patch | 1.2.4
1.2.3rc2 | rc | 1.2.3rc3
1.2.3rc2 | stable | 1.2.3
1.2.3.post1 | post | 1.2.3.post2
1.2.3.post1 | minor | 1.3.0
1.2.3.dev4 | dev | 1.2.3.dev5
1.2.3.dev4 | alpha | 1.2.3a1
1.2.3.dev4 | stable | 1.2.3
1!2.0 | minor | 1!2.1
1.0rc1.post2.dev3 | post | 1.0rc1.post3
1.2.3b1.dev2 | beta | 1.2.3b2
"""


@pytest.mark.parametrize("row", UV.strip().splitlines())
def test_the_parts_are_raised_as_uv_raises_them(row: str) -> None:
    """Each part, alone and with others, gives what uv gives."""
    before, parts, after = (each.strip() for each in row.split("|"))
    steps = bump_all(Version(before), [VersionPart(part) for part in parts.split()])
    assert str(steps[-1].after) == after
    assert str(steps[0].before) == before


@pytest.mark.parametrize(
    ("before", "parts", "why"),
    [
        ("1.2.3", "stable", "does not come after"),
        ("1.2.3", "rc", "raise major, minor or patch together with rc"),
        ("1.2.3", "dev", "raise major, minor or patch together with dev"),
        ("1.2.3", "major minor", "only one of major, minor, patch"),
        ("1.2.3", "patch patch", "only one of"),
        ("1.2.3", "minor rc dev", "rc and dev were given"),
        ("1.2.3a1", "rc stable", "stands alone"),
        ("1.2.3b1", "alpha", "does not come after"),
    ],
)
def test_parts_that_exclude_each_other_are_refused(before: str, parts: str, why: str) -> None:
    """A result that is not higher, and two parts of one kind, are refused with the reason, as uv refuses them."""
    with pytest.raises(ValueError, match=why):
        bump_all(Version(before), [VersionPart(part) for part in parts.split()])


def test_the_arithmetic_can_be_read() -> None:
    """Each step says what it raised."""
    assert [str(step) for step in bump_all(Version("1.2.3"), [VersionPart.RC, VersionPart.MINOR])] == [
        "1.2.3 → 1.3.0 (minor)",
        "1.3.0 → 1.3.0rc1 (rc)",
    ]
