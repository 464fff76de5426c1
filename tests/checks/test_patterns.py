"""Patterns of paths in the settings."""

from __future__ import annotations

import pytest

from unmoor.checks.patterns import matching

NAMES = ("README.md", "docs/README.md", "Requirements/dev.txt", "a[1].txt")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("readme*", ["README.md"]),
        ("*/readme*|readme*", ["README.md", "docs/README.md"]),
        ("requirements/*.txt", ["Requirements/dev.txt"]),
        ("*", ["README.md", "a[1].txt"]),
        ("a[[]1].txt", ["a[1].txt"]),
        ("docs", []),
    ],
)
def test_what_a_pattern_matches(pattern: str, expected: list[str]) -> None:
    """A star ends at a slash, a bar separates patterns, and case does not matter."""
    assert list(matching(pattern, NAMES)) == expected
