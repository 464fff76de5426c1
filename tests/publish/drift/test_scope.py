"""Which tags are looked at, and which of them are compared with their manifests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from packaging.version import Version

from unmoor.products.drift import NotKnown
from unmoor.publish.drift.scope import WatchedTag, WatchScope, closeness, grouped, scope_of

TIMES = {"v1.0": 100, "v1.1": 200, "v1.2": 300}


def scope(
    *,
    local: Mapping[str, int] = TIMES,
    remote: tuple[str, ...] | None = tuple(TIMES),
    released: tuple[str, ...] = (),
    named: tuple[str, ...] = (),
    since: float = 150,
    also: tuple[str, ...] = (),
) -> WatchScope:
    """The scope for some tags, each on a commit of its own."""
    every = {*local, *(remote or ()), *released}
    return scope_of(
        {tag: Version(tag) for tag in every},
        local=dict.fromkeys(local, "a"),
        remote=None if remote is None else dict.fromkeys(remote, "a"),
        times=local,
        released=released,
        named=named,
        since=since,
        also=also,
    )


@pytest.mark.parametrize(
    ("found", "tags"),
    [
        (scope(), "v1.2 v1.1"),
        (scope(also=("v1.0",)), "v1.2 v1.1 v1.0"),
        (scope(named=("v1.0",)), "v1.0"),
        (scope(named=("v1.0",), also=("v1.1",)), "v1.1 v1.0"),
        (scope(since=0), "v1.2 v1.1 v1.0"),
        (scope(remote=("v1.1",)), "v1.1"),
        (scope(remote=("v1.1",), released=("v1.2",)), "v1.2 v1.1"),
        (scope(remote=None), "v1.2 v1.1"),
        (scope(released=("v0.9",)), "v1.2 v1.1 v0.9"),
        (scope(remote=("v1.2", "v1.3")), "v1.2"),
        (scope(remote=("v1.2", "v1.3"), named=("v1.3",)), "v1.3"),
    ],
    ids=[
        "new",
        "also",
        "named",
        "named, also",
        "all",
        "pushed",
        "released",
        "remote down",
        "tag gone",
        "not fetched",
        "named remote",
    ],
)
def test_the_newest_come_first(found: WatchScope, tags: str) -> None:
    """A tag that was never pushed counts only if there is a release of it."""
    assert [each.tag for each in found.tags] == tags.split()


def test_tags_that_this_checkout_lacks_are_unknown() -> None:
    """Nothing says when they were made."""
    assert scope(remote=("v1.2", "v1.3", "v1.4")).unknown == (
        NotKnown(surface="tag", why="this checkout lacks tags of the remote: git fetch --tags", tags=("v1.3", "v1.4")),
    )
    assert scope().unknown == ()


def tags_of(*names: str) -> list[WatchedTag]:
    """Tags, the newest first."""
    return [WatchedTag(tag=name, version=Version(name), local="a", remote="a", time=1, released=True) for name in names]


@pytest.mark.parametrize(
    ("proven", "first", "most", "compared", "by_lists", "left"),
    [
        ("3 2 1", "", 9, "3 2 1", "", ""),
        ("3 2 1", "", 1, "3", "2 1", ""),
        ("3 1", "", 1, "2", "3 1", ""),
        ("3 2 1", "1", 1, "1", "3 2", ""),
        ("", "1", 2, "3 1", "", "2"),
        ("", "", 0, "", "", "3 2 1"),
    ],
    ids=["few", "newest", "unproven first", "highest first", "left", "none"],
)
def test_a_limited_number_is_compared(  # noqa: PLR0917 - a table
    proven: str, first: str, most: int, compared: str, by_lists: str, left: str
) -> None:
    """What the lists do not prove comes before what they do, and is never taken for whole."""
    found = closeness(tags_of("3", "2", "1"), lambda each: each.tag in proven.split(), first=first, most=most)
    named = [" ".join(each.tag for each in some) for some in (found.compared, found.by_lists, found.left)]
    assert named == [compared, by_lists, left]


def test_one_reason_is_one_entry() -> None:
    """A server that fails is named once, with the tags that it is about."""
    down = [NotKnown(surface="pypi", why="down", tags=tags) for tags in ((), ("v1",), ("v2", "v1"))]
    other = NotKnown(surface="forge", why="down", tags=("v1",))
    assert grouped([*down, other]) == (NotKnown(surface="pypi", why="down", tags=("v1", "v2")), other)
