"""Raise a version by the parts that uv's ``version --bump`` has. Pure.

The parts have an order: major, minor, patch, stable, alpha, beta, rc, post, dev. Raising one removes what comes after
it. Not uv itself, because that writes files, and reads no version that comes from tags; a test compares both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from packaging.version import Version


class VersionPart(StrEnum):
    """A part of a version to raise."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    STABLE = "stable"
    ALPHA = "alpha"
    BETA = "beta"
    RC = "rc"
    POST = "post"
    DEV = "dev"


_PLACES: Final = {VersionPart.MAJOR: 0, VersionPart.MINOR: 1, VersionPart.PATCH: 2}
_PRERELEASES: Final = {VersionPart.ALPHA: "a", VersionPart.BETA: "b", VersionPart.RC: "rc"}
_ORDER: Final = tuple(VersionPart)


class BumpStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the arithmetic."""

    part: VersionPart
    before: Version
    after: Version

    def __str__(self) -> str:
        return f"{self.before} → {self.after} ({self.part})"


def bump(version: Version, part: VersionPart) -> Version:
    """Raise one part. The local part goes, and the epoch stays."""
    release: list[int] = list(version.release)
    pre: tuple[str, int] | None = version.pre
    post, dev = version.post, version.dev
    if part in _PLACES:
        place = _PLACES[part]
        release += [0] * (place + 1 - len(release))
        release = [*release[:place], release[place] + 1, *(0 for _ in release[place + 1 :])]
        pre = post = dev = None
    elif part is VersionPart.STABLE:
        pre = post = dev = None
    elif part in _PRERELEASES:
        kind = _PRERELEASES[part]
        pre = (kind, pre[1] + 1 if pre is not None and pre[0] == kind else 1)
        post = dev = None
    elif part is VersionPart.POST:
        post, dev = (post or 0) + 1, None
    else:
        dev = (dev or 0) + 1
    return _version(version.epoch, release, pre, post, dev)


def bump_all(version: Version, parts: Iterable[VersionPart]) -> tuple[BumpStep, ...]:
    """Raise several parts in their order, whatever the order in which they are given.

    Raises ``ValueError`` with the reason if two of them exclude each other, or if the result is not higher.
    """
    given = list(parts)
    for group in (_PLACES, (*_PRERELEASES, VersionPart.DEV)):
        if len(several := [part for part in given if part in group]) > 1:
            raise ValueError(f"only one of {', '.join(group)} can be raised, and {' and '.join(several)} were given")
    if VersionPart.STABLE in given and len(given) > 1:
        raise ValueError("stable stands alone: it makes a release of a prerelease")
    steps: list[BumpStep] = []
    for part in sorted(given, key=_ORDER.index):
        before = steps[-1].after if steps else version
        steps.append(BumpStep(part=part, before=before, after=bump(before, part)))
    if steps and steps[-1].after <= version:
        last = steps[-1].part
        more = f"; raise major, minor or patch together with {last}" if last in {*_PRERELEASES, VersionPart.DEV} else ""
        raise ValueError(f"{steps[-1].after} does not come after {version}{more}")
    return tuple(steps)


def _version(
    epoch: int, release: Sequence[int], pre: tuple[str, int] | None, post: int | None, dev: int | None
) -> Version:
    text = f"{epoch}!" if epoch else ""
    text += ".".join(map(str, release))
    text += f"{pre[0]}{pre[1]}" if pre is not None else ""
    text += f".post{post}" if post is not None else ""
    text += f".dev{dev}" if dev is not None else ""
    return Version(text)
