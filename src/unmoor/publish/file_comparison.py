"""The result of comparing one file on a surface with the tested one, by digest."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Match(StrEnum):
    """What a surface holds under the name of a file. ``unknown``: a file for which it gives no digest."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class FileComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one file: the sha256 it should have, the one on the surface (``None`` if unknown), the reason."""

    match: Match
    expected: str
    seen: str | None = None
    reason: str = ""
