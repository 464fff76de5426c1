"""Which tags are fixed, and which may move to another release. Pure.

A fixed tag names one image for good: ``v1.2.3``, ``sha-0a1b2c3``. A floating tag names the newest of a
series: ``1.2`` of 1.2.*, ``1`` of 1.*, and any other (``latest``, ``prod``) of all versions. It moves only to
a final version that is the highest published one of its series.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from packaging.version import Version

from unmoor.versioning import pep440

_ALWAYS_A_SERIES: Final = 2
_START = re.compile(r"(?:(?<=[-_])|^)v?(?=[0-9])")
_NUMBERS = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18}){0,9}")
_COMMIT = re.compile(r"(?:^|-)sha-[0-9a-f]{7,64}(?:-|$)")
_SHORTEST_COMMIT: Final = 7
_HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{7,64}(?![0-9A-Za-z])")


class TagKind(StrEnum):
    """The kind of a tag: ``fixed`` names one image for good, ``floating`` the newest of a series."""

    FIXED = "fixed"
    FLOATING = "floating"


def kinds(tags: Iterable[str], version: Version | str, *, commit: str = "") -> Mapping[str, TagKind]:
    """Return the kind of each tag, by its text alone. Prefixes and suffixes (``v1.2.3-prod``) do not count.

    Tags that name the version itself or its commit are fixed. If a version of two numbers is named with and
    without a ``v`` (``v1.2``, ``1.2``), the tag without it is the series.
    """
    names = tuple(tags)
    wanted = pep440.parse(version) if isinstance(version, str) else version
    found = {name: _kind(name, wanted, commit) for name in names}
    if wanted is not None and len(wanted.release) <= _ALWAYS_A_SERIES and not wanted.is_prerelease:
        for name in names:
            if (
                found[name] is TagKind.FIXED
                and any(f"v{name}" == other for other in names)
                and not _says_more(name, wanted)
            ):
                found[name] = TagKind.FLOATING
    return found


def may_move(tag: str, version: Version, published: Iterable[Version]) -> bool:
    """Whether a floating tag belongs to this version: it is final, and no published final of the series is higher.

    A tag that names the version itself never moves.
    """
    if version.is_prerelease or (series(tag, version) is None and _names_version(tag, version)):
        return False
    parts = series(tag, version) or ()
    covered = (each for each in published if _release(each, len(parts)) == parts)
    return pep440.is_highest(version, covered)


def series(tag: str, version: Version) -> tuple[int, ...] | None:
    """Return the numbers of the series that a tag names and the version belongs to: (1, 2) for ``1.2-prod``.

    ``None`` if the tag names no series: ``latest``, or a complete version.
    """
    for core in _cores(tag):
        if not _NUMBERS.fullmatch(core):
            continue
        parts = tuple(int(part) for part in core.split("."))
        shorter = len(parts) < len(version.release) or len(parts) <= _ALWAYS_A_SERIES
        if shorter and _release(version, len(parts)) == parts:
            return parts
    return None


def _kind(tag: str, version: Version | None, commit: str) -> TagKind:
    whole = version is not None and _names_version(tag, version)
    return TagKind.FIXED if whole or _names_commit(tag, commit) else TagKind.FLOATING


def _names_commit(tag: str, commit: str) -> bool:
    if _COMMIT.search(tag):
        return True
    return any(len(found) >= _SHORTEST_COMMIT and commit.startswith(found) for found in _HEXADECIMAL.findall(tag))


def _names_version(tag: str, version: Version) -> bool:
    """Whether a tag contains the version with all its numbers; ``1.2`` does not contain 1.2.0."""
    for core in _cores(tag):
        found = pep440.parse(core)
        same = found is not None and (found == version or found.public == version.public)
        if found is not None and same and len(found.release) >= len(version.release):
            return True
    return False


def _says_more(tag: str, version: Version) -> bool:
    """Whether a tag has more than numbers (1.2.post1)."""
    return version.is_postrelease or not any(_NUMBERS.fullmatch(core) for core in _cores(tag))


def _cores(tag: str) -> Iterator[str]:
    """Yield the parts of a tag that may be a version: from each number on, cut at each dash in turn."""
    if len(tag) > pep440.LONGEST_TAG:
        return
    for start in _START.finditer(tag):
        core = tag[start.end() :]
        while core:
            yield core
            core = core.rpartition("-")[0]


def _release(version: Version, count: int) -> tuple[int, ...]:
    """Return the first numbers of a version, padded with zeros."""
    return (*version.release, *(0 for _ in range(count)))[:count]
