"""Which tags `unmoor watch` looks at, and how closely. Pure.

The lists of the forge, the index and the remote say most of a release without a request for each. A limited number of
releases is compared with their manifests: first those that the lists do not prove, then the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from packaging.version import Version

from unmoor.products.drift import NotKnown
from unmoor.util.values import replace

MOST_COMPARED = 100
"""How many releases one run compares with their manifests."""


class WatchedTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of the project. ``time`` is when it was made, ``None`` if this checkout does not say."""

    tag: str
    version: Version
    local: str
    remote: str
    time: int | None
    released: bool

    @property
    def commit(self) -> str:
        """The commit, if this checkout and the remote agree on it; else empty."""
        return self.local if self.local == self.remote else ""


class WatchScope(msgspec.Struct, frozen=True, kw_only=True):
    """The tags to look at, the newest first, and how many tags the project has. ``unknown`` are not looked at."""

    tags: tuple[WatchedTag, ...]
    known: int
    unknown: tuple[NotKnown, ...] = ()


def scope_of(
    versions: Mapping[str, Version],
    *,
    local: Mapping[str, str],
    remote: Mapping[str, str] | None,
    times: Mapping[str, int],
    released: Iterable[str],
    named: Sequence[str],
    since: float,
    also: Collection[str],
) -> WatchScope:
    """Choose the tags: the named ones, else those made since a time, in seconds since 1970; and those in ``also``.

    ``versions`` are all tags of the project, here, on the remote and on the forge. ``remote`` is ``None`` if it could
    not be read: then the local tags count as there. A tag that only this checkout has is left out unless there is a
    release of it. A tag that only the remote has is unknown: nothing says when it was made, and with which settings.
    """
    public = frozenset(released)
    there = local if remote is None else remote
    every = [
        WatchedTag(
            tag=tag,
            version=version,
            local=local.get(tag, ""),
            remote=there.get(tag, ""),
            time=times.get(tag),
            released=tag in public,
        )
        for tag, version in versions.items()
    ]
    chosen = [each for each in every if _is_chosen(each, named, since, also)]
    unfetched = tuple(sorted(each.tag for each in chosen if not each.local and each.remote and each.tag not in named))
    tags = [each for each in chosen if each.tag not in unfetched]
    unknown = (NotKnown(surface="tag", why="this checkout lacks tags of the remote: git fetch --tags", tags=unfetched),)
    return WatchScope(
        tags=tuple(sorted(tags, key=lambda each: (each.time or 0, each.version), reverse=True)),
        known=len(every),
        unknown=unknown if unfetched else (),
    )


def _is_chosen(each: WatchedTag, named: Sequence[str], since: float, also: Collection[str]) -> bool:
    if each.tag in named:
        return True
    if not each.remote and not each.released:
        return False
    return each.tag in also or (not named and (each.time is None or each.time >= since))


class Closeness(msgspec.Struct, frozen=True, kw_only=True):
    """Which tags to compare with their manifests, which ones the lists prove, and which are left for another run."""

    compared: tuple[WatchedTag, ...]
    by_lists: tuple[WatchedTag, ...]
    left: tuple[WatchedTag, ...]


def closeness(tags: Sequence[WatchedTag], agrees: Callable[[WatchedTag], bool], *, first: str, most: int) -> Closeness:
    """Choose what to compare: the tag ``first``, then what the lists do not prove, then the newest, at most so many."""
    proven = {each.tag for each in tags if agrees(each)}
    ordered = sorted(tags, key=lambda each: (each.tag != first, each.tag in proven))
    compared = {each.tag for each in ordered[:most]}
    return Closeness(
        compared=tuple(each for each in tags if each.tag in compared),
        by_lists=tuple(each for each in tags if each.tag in proven and each.tag not in compared),
        left=tuple(each for each in tags if each.tag not in proven and each.tag not in compared),
    )


def grouped(unknown: Iterable[NotKnown]) -> tuple[NotKnown, ...]:
    """Join what is unknown for the same reason, so that a server that fails is one entry and not one for each tag."""
    found: dict[tuple[str, str], NotKnown] = {}
    for each in unknown:
        before = found.get((each.surface, each.why))
        tags = tuple(dict.fromkeys((*(before.tags if before else ()), *each.tags)))
        found[each.surface, each.why] = replace(each, tags=tags)
    return tuple(found.values())
