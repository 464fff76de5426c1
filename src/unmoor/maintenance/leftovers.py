"""Decide which artifacts and caches that runs left on the forge can go. Pure; deletes nothing.

Whatever is unknown about a leftover is a reason that it stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

import msgspec

from unmoor.errors import UnmoorError
from unmoor.ports.leftovers import Cache, RunArtifact

_PULL: Final = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_BRANCH: Final = "refs/heads/"
_TAG: Final = "refs/tags/"
# What differs between the caches of one purpose: digests, numbers of runs, dates.
_VARYING: Final = re.compile(r"[0-9a-f]{7,128}|[0-9]{1,20}")


class WhyKept(StrEnum):
    """Why a leftover stays."""

    YOUNG = "it is not old enough"
    EXPIRED = "the forge has deleted its files"
    UNKNOWN_RUN = "the run that made it is unknown"
    UNFINISHED = "its run has not ended"
    NOT_PUBLIC = "its tag is not public yet"
    UNSURE = "whether its tag is public is unknown"
    NEWEST = "it is the newest of its kind"
    UNKNOWN_REF = "what it belongs to is unknown"
    FAILED = "it could not be deleted"


class LeftoverVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one leftover: it stays for a reason, or goes if there is none."""

    leftover: RunArtifact | Cache
    why: WhyKept | None

    @property
    def goes(self) -> bool:
        """Whether it can be deleted."""
        return self.why is None


class ArtifactFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What says whether an artifact is still needed: the runs that have not ended, the tags, and which are public."""

    unfinished: frozenset[int]
    tags: frozenset[str]
    is_public: Callable[[str], bool]


class CacheFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What says whether anybody can still restore a cache: the branches, the tags, and the open pull requests."""

    branches: frozenset[str]
    tags: frozenset[str]
    open_pull_requests: frozenset[int]

    def is_there(self, ref: str) -> bool | None:
        """Whether a ref can still start a run; ``None`` if nobody knows."""
        if ref.startswith(_BRANCH):
            return ref.removeprefix(_BRANCH) in self.branches
        if ref.startswith(_TAG):
            return ref.removeprefix(_TAG) in self.tags
        found = _PULL.fullmatch(ref)
        return int(found[1]) in self.open_pull_requests if found is not None else None


def judge_artifacts(
    artifacts: Sequence[RunArtifact], facts: ArtifactFacts, *, older_than: timedelta, now: datetime
) -> tuple[LeftoverVerdict, ...]:
    """Decide which artifacts can go: old ones of runs that ended, unless their tag is not public yet.

    An approval may take weeks, and what a failed release handed over is needed until the release is public.
    """

    @cache
    def of_tag(tag: str) -> WhyKept | None:
        try:
            return None if facts.is_public(tag) else WhyKept.NOT_PUBLIC
        except UnmoorError:
            return WhyKept.UNSURE

    def why(artifact: RunArtifact) -> WhyKept | None:
        if artifact.expired:
            return WhyKept.EXPIRED
        if now - artifact.created < older_than:
            return WhyKept.YOUNG
        if artifact.run is None or artifact.ref is None:
            return WhyKept.UNKNOWN_RUN
        if artifact.run in facts.unfinished:
            return WhyKept.UNFINISHED
        return of_tag(artifact.ref) if artifact.ref in facts.tags else None

    return tuple(LeftoverVerdict(leftover=each, why=why(each)) for each in artifacts)


def judge_caches(
    caches: Sequence[Cache], facts: CacheFacts, *, older_than: timedelta, now: datetime
) -> tuple[LeftoverVerdict, ...]:
    """Decide which caches can go: those that no run used for long, but the newest of each kind on each branch.

    On a branch that is gone, or a pull request that is closed, none is the newest: no run can restore it.
    """
    newest: dict[tuple[str, str, str], Cache] = {}
    for each in caches:
        kind = (each.ref, kind_of(each.key), each.version)
        if kind not in newest or (each.used, each.id) > (newest[kind].used, newest[kind].id):
            newest[kind] = each
    kept = {each.id for each in newest.values()}

    def why(cache: Cache) -> WhyKept | None:
        if now - cache.used < older_than:
            return WhyKept.YOUNG
        is_there = facts.is_there(cache.ref)
        if is_there is None:
            return WhyKept.UNKNOWN_REF
        return WhyKept.NEWEST if is_there and cache.id in kept else None

    return tuple(LeftoverVerdict(leftover=each, why=why(each)) for each in caches)


def kind_of(key: str) -> str:
    """What the keys of caches for one purpose have in common: all but digests and numbers at their end.

    >>> kind_of("pip-linux-3.13-0a1b2c3d4e5f"), kind_of("nightly-20260101-2"), kind_of("plain")
    ('pip-linux-3.13', 'nightly', 'plain')
    """
    parts = key.split("-")
    while len(parts) > 1 and _VARYING.fullmatch(parts[-1]):
        parts.pop()
    return "-".join(parts)
