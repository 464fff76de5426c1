"""How one file on a surface stands to the one that was tested: what every comparison by digest comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Match(StrEnum):
    """What a surface holds under the name of a file, by digest. ``unknown``: something, and it gives no digest."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class FileComparison:
    """What came of comparing one file: the sha256 it should have, the one that was seen, if any, and the reason."""

    match: Match
    expected: str
    seen: str | None = None
    reason: str = ""
