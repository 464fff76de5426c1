"""Parse versions of Semantic Versioning 2.0.0, with or without a leading ``v``. Pure."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_NUMBER: Final = r"0|[1-9][0-9]*"
_WORD: Final = r"[0-9]*[A-Za-z-][0-9A-Za-z-]*"
_SHAPE = re.compile(
    rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>(?:{_NUMBER}|{_WORD})(?:\.(?:{_NUMBER}|{_WORD}))*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_LONGEST: Final = 256
_HIGHEST: Final = 2**53 - 1  # the original uses JavaScript's numbers


class SemVer(msgspec.Struct, frozen=True, kw_only=True):
    """One version: ``raw`` is as written, ``version`` without ``v`` and build metadata."""

    raw: str
    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The version without ``v`` and build metadata."""
        pre = f"-{'.'.join(self.prerelease)}" if self.prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{pre}"


def parse(text: str) -> SemVer | None:
    """Parse a version; ``None`` if it is not one."""
    found = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or max(int(found[part]) for part in ("major", "minor", "patch")) > _HIGHEST:
        return None
    return SemVer(
        raw=text,
        major=int(found["major"]),
        minor=int(found["minor"]),
        patch=int(found["patch"]),
        prerelease=tuple(found["pre"].split(".")) if found["pre"] else (),
        build=tuple(found["build"].split(".")) if found["build"] else (),
    )
