"""Patterns of branches and tags in a forge's rules."""

from __future__ import annotations

import pytest

from unmoor.util.ref_patterns import covers, matches


@pytest.mark.parametrize(
    ("pattern", "ref", "expected"),
    [
        ("~ALL", "refs/tags/x", True),
        ("~DEFAULT_BRANCH", "refs/heads/main", True),
        ("~DEFAULT_BRANCH", "refs/heads/next", False),
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/*", "refs/heads/a/b", False),
        ("refs/heads/**/*", "refs/heads/a/b", True),
        ("refs/heads/**/*", "refs/heads/a", True),
        ("refs/heads/**", "refs/heads/a/b", False),
        ("refs/tags/v[0-9]*", "refs/tags/v1.2", True),
        ("refs/tags/v[0-9]*", "refs/tags/version", False),
        ("refs/tags/v?", "refs/tags/v1", True),
        ("refs/**/v1", "refs/tags/a/v1", True),
        ("**/*", "refs/heads/main", True),
    ],
)
def test_a_ref_matches(pattern: str, ref: str, *, expected: bool) -> None:
    """A star stops at a slash, two stars and a slash are any folders, and the words stand for what they say."""
    assert matches(ref, pattern, default_branch="main") is expected


def test_a_long_ref_takes_no_long_time() -> None:
    """Many folders in a pattern cost a step each."""
    assert not matches("/".join(["a"] * 400), "/".join(["**"] * 60 + ["b"]))


@pytest.mark.parametrize(
    ("wider", "narrower", "expected"),
    [
        ("~ALL", "refs/tags/v[0-9]*", True),
        ("refs/tags/v*", "refs/tags/v*", True),
        ("refs/tags/v*", "refs/tags/v[0-9]*", True),
        ("refs/tags/*", "refs/tags/v[0-9]*", True),
        ("refs/tags/*", "refs/tags/pkg/v[0-9]*", False),
        ("refs/tags/**/*", "refs/tags/pkg/v[0-9]*", True),
        ("refs/tags/v1*", "refs/tags/v[0-9]*", False),
        ("refs/tags/v[0-9]*", "refs/tags/v*", False),
        ("refs/tags/?*", "refs/tags/v*", False),
        ("~DEFAULT_BRANCH", "refs/heads/main", False),
        ("refs/tags/*", "~ALL", False),
    ],
)
def test_a_pattern_covers_another(wider: str, narrower: str, *, expected: bool) -> None:
    """Only what is certain counts."""
    assert covers(wider, narrower) is expected
