"""Digests and ids of commits are known by their digits."""

from __future__ import annotations

import pytest

from unmoor.util.digests import is_commit, is_sha256


@pytest.mark.parametrize(
    ("text", "commit", "sha256"),
    [
        ("0123456789abcdef" * 4, True, True),
        ("01234abcde" * 4, True, False),
        ("A" * 40, False, False),
        ("A" * 64, False, False),
        ("a" * 63, False, False),
        ("a" * 65, False, False),
        ("a" * 7, False, False),
        ("a" * 40 + "\n", False, False),
        ("sha256:" + "a" * 64, False, False),
        ("main", False, False),
        ("", False, False),
    ],
)
def test_digits(text: str, *, commit: bool, sha256: bool) -> None:
    """In lower case, all of them, and nothing else."""
    assert (is_commit(text), is_sha256(text)) == (commit, sha256)
