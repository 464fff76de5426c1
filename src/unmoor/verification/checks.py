"""What a verification found: one check of one thing on one surface, and the answer that all of them give."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from unmoor.errors import BadSignature, Conflict, UnmoorError
from unmoor.util.text import clean


class Mark(StrEnum):
    """The result of a check, the best first.

    ``wrong``: it is there, and is not what it should be. ``missing``: it is certain that it is not there. ``unknown``:
    it could not be read or judged, so it may be either.
    """

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    WRONG = "wrong"


_BEST_FIRST = tuple(Mark)


class CheckedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One check: the surface, the name of a file, signature or image on it, the result, and what it is based on."""

    surface: str
    name: str
    mark: Mark
    note: str = ""

    @classmethod
    def of_error(cls, surface: str, name: str, error: UnmoorError) -> CheckedItem:
        """Return the check for an error: wrong if other bytes or signatures are there, else unknown."""
        mark = Mark.WRONG if isinstance(error, Conflict | BadSignature) else Mark.UNKNOWN
        step = error.next_step if mark is Mark.UNKNOWN else ""
        return cls(
            surface=surface,
            name=clean(name),
            mark=mark,
            note=clean("; next: ".join(filter(None, (error.what, step))), 500),
        )


def worst(checks: Iterable[CheckedItem]) -> Mark:
    """Return the worst result. Without any check nothing is known."""
    marks = [each.mark for each in checks]
    return max(marks, key=_BEST_FIRST.index) if marks else Mark.UNKNOWN
