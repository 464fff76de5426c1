"""Floating tags move only to the highest final version of their series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from unmoor.images.tags.floating import TagKind, kinds, may_move, series

FIXED, FLOATING = TagKind.FIXED, TagKind.FLOATING
COMMIT = "abcdef1234567890abcdef1234567890abcdef12"


@pytest.mark.parametrize(
    ("tag", "version", "expected"),
    [
        ("v1.2.3", "1.2.3", FIXED),
        ("1.2.3", "1.2.3", FIXED),
        ("v1.2.3-prod", "1.2.3", FIXED),
        ("1.2.3-alpine3.18", "1.2.3", FIXED),
        ("lib-v1.2.3", "1.2.3", FIXED),
        ("1.0.0-rc.1", "1.0.0rc1", FIXED),
        ("1.0-a", "1.0", FIXED),
        ("v1.2.3.post1", "1.2.3.post1", FIXED),
        ("1!2.0", "1!2.0", FIXED),
        ("sha-abcdef1", "1.2.3", FIXED),
        ("main-abcdef1", "1.2.3", FIXED),
        (f"sha-{COMMIT}", "", FIXED),
        ("main-1234567", "1.2.3", FLOATING),
        ("1.2", "1.2.3", FLOATING),
        ("1.2", "1.2.0", FLOATING),
        ("1", "1.0.0", FLOATING),
        ("v1-prod", "1.2.3", FLOATING),
        ("1.2.3", "1.2.3.post1", FLOATING),
        ("latest", "1.2.3", FLOATING),
        ("prod", "1.2.3", FLOATING),
        ("main", "", FLOATING),
        ("nightly-20200110", "1.2.3", FLOATING),
    ],
)
def test_a_tag_is_fixed_or_floating(tag: str, version: str, expected: TagKind) -> None:
    """Tags with the complete version or the commit are fixed; all others float."""
    assert kinds([tag], version, commit=COMMIT) == {tag: expected}


def test_a_version_of_two_numbers_beside_its_series() -> None:
    """Of two tags, the one with a v is the version and the other the series; a single one is the version."""
    assert kinds(["v1.2", "1.2"], Version("1.2")) == {"v1.2": FIXED, "1.2": FLOATING}
    assert kinds(["1.2"], Version("1.2")) == {"1.2": FIXED}


@pytest.mark.parametrize(
    ("tag", "version", "published", "expected"),
    [
        ("latest", "1.2.3", [], True),
        ("latest", "1.2.3", ["1.2.3"], True),
        ("latest", "1.2.3", ["2.0.0"], False),
        ("latest", "1.2.3", ["2.0.0rc1", "1.2.2"], True),
        ("latest", "2.0.0rc1", [], False),
        ("latest", "2.0.0.dev1", [], False),
        ("latest", "1.2.3.post1", ["1.2.3"], True),
        ("1", "1.2.3", ["2.0.0", "1.3.0"], False),
        ("1", "1.3.1", ["2.0.0", "1.3.0"], True),
        ("1.2", "1.2.4", ["1.3.0", "2.0", "1.2.3"], True),
        ("1.2", "1.2.3", ["1.2.4"], False),
        ("1.2-prod", "1.2.4", ["1.3.0", "2.0", "1.2.3"], True),
        ("v1.2", "1.2.4", ["1.2.10"], False),
        ("1.2", "1.2", ["1.1"], True),
        ("1.2", "1.2.1", ["1.2"], True),
        ("1.2", "1.2", ["1.2.1"], False),
        ("prod", "1.2.3", ["1.10.0"], False),
        ("1", "1.9", ["1.10"], False),
        ("1", "1.0", ["11.0"], True),
        ("2024.05", "2024.05.3", ["2024.05.1", "2024.6.1"], True),
        ("v1.2.3", "1.2.3", [], False),
    ],
)
def test_a_tag_moves_to_the_highest_of_its_series(
    tag: str, version: str, published: list[str], *, expected: bool
) -> None:
    """1.2 considers 1.2.*, 1 considers 1.*, latest all; prereleases never count, and a fixed tag never moves."""
    assert may_move(tag, Version(version), map(Version, published)) is expected


numbers = st.integers(min_value=0, max_value=3)
versions = st.builds(
    lambda release, tail: Version(".".join(map(str, release)) + tail),
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(["", "", "a1", "rc2", ".post1", ".dev3", "rc1.post1", ".post2.dev1"]),
)
tags = st.one_of(
    st.sampled_from(["latest", "prod", "stable"]),
    st.builds(
        lambda head, parts, tail: head + ".".join(map(str, parts)) + tail,
        st.sampled_from(["", "v", "lib-"]),
        st.lists(numbers, min_size=1, max_size=2),
        st.sampled_from(["", "-prod"]),
    ),
)


@given(tag=tags, history=st.lists(versions, max_size=8))
def test_a_tag_never_goes_back_in_any_order(tag: str, history: list[Version]) -> None:
    """For releases in any order, the tag's version is final, only rises, and ends as the highest of its series."""
    published: list[Version] = []
    holds: Version | None = None
    covered = []
    for version in history:
        parts = series(tag, version)
        belongs = tag in {"latest", "prod", "stable"} or parts is not None
        if belongs and may_move(tag, version, published):
            assert not version.is_prerelease
            assert holds is None or version >= holds
            holds = version
        if belongs and not version.is_prerelease:
            covered.append(version)
        published.append(version)
    assert holds == max(covered, default=None)


@given(version=versions, tag=tags)
def test_a_second_run_decides_the_same(version: Version, tag: str) -> None:
    """A release that is published already gets the same answer in another run."""
    assert may_move(tag, version, []) == may_move(tag, version, [version])


@given(st.text(max_size=200), versions)
def test_any_text_is_a_tag_of_one_kind(tag: str, version: Version) -> None:
    """Arbitrary text breaks nothing."""
    assert set(kinds([tag], version, commit=COMMIT)) == {tag}
    assert may_move(tag, version, [version]) in {True, False}
