"""Versions are found in tags, whatever is before them."""

from __future__ import annotations

import pytest
from packaging.version import Version

from unmoor.rehearsal.invariants.effects import split_tag


@pytest.mark.parametrize(
    ("tag", "prefix", "version"),
    [
        ("v1.0", "", "1.0"),
        ("1.0rc1", "", "1.0rc1"),
        ("demo-1.0", "demo-", "1.0"),
        ("release/v2.0.post1", "release/", "2.0.post1"),
        ("h11-1.0", "h11-", "1.0"),
        ("py3-1", "py3-", "1"),
        ("demo1.0", "demo", "1.0"),
        ("latest", "latest", None),
        ("", "", None),
        ("v" + "1" * 5000, "v" + "1" * 5000, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_split_tag(tag: str, prefix: str, version: str | None) -> None:
    """A version begins after a separator, otherwise at the first digit."""
    assert split_tag(tag) == (prefix, Version(version) if version else None)
