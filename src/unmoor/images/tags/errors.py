"""Errors in rules, flavors, images and labels: what is wrong, where (to the column), and what to do."""

from __future__ import annotations

import msgspec

from unmoor import advice
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import ConfigError
from unmoor.versioning.pep440 import quote

LONGEST_LINE = 4096


class RuleError(Exception):
    """A mistake at a position in a text whose line is not known yet.

    ``at`` counts characters from 0.
    """

    def __init__(self, what: str, *, at: int = 0, next_step: NextStep = NOTHING) -> None:
        super().__init__(what)
        self.what = what
        self.at = at
        self.next_step = next_step


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a text: ``rule 2``, ``flavor 1``; ``text`` is the whole line as written."""

    kind: str
    number: int
    text: str

    def error(self, what: str, *, at: int = -1, next_step: NextStep = NOTHING) -> ConfigError:
        """Return an error. ``at`` counts characters of the line from 0; -1 names no column."""
        column = f", column {at + 1}" if at >= 0 else ""
        return ConfigError(
            what,
            where=f"{self.kind} {self.number}, {quote(self.text, 200)}{column}",
            next_step=next_step or advice.CORRECT_RULE(kind=self.kind),
        )

    def within(self, part: str, wrong: RuleError) -> ConfigError:
        """Return the error for a mistake inside a part of the line."""
        start = self.text.find(part) if part else -1
        return self.error(wrong.what, at=start + wrong.at if start >= 0 else -1, next_step=wrong.next_step)
