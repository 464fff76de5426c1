"""A check rule, whose rule it is, and a problem that breaks one."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor.advice import NOTHING, NextStep
from unmoor.util.text import clean

# The longest text of a problem, in characters.
LENGTH_LIMIT = 600


class By(StrEnum):
    """Whose rule it is. A rule is `INDEX` only if PyPI itself refuses every file that breaks it."""

    INDEX = "PyPI"
    UPLOADER = "twine"
    INSTALLERS = "installers"
    UNMOOR = "unmoor"


# What each of them does with a file that breaks its rule.
_VERDICTS = {
    By.INDEX: "PyPI refuses it",
    By.UPLOADER: "twine refuses it, or sends something else",
    By.INSTALLERS: "pip or uv refuses it",
    By.UNMOOR: "unmoor's own rule",
}


class CheckRule(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement for a file. ``refuses`` names what breaks it. If ``warns``, it never stops a release.

    ``advice`` is the next step, if it is another one than to correct the project.
    """

    name: str
    refuses: str
    by: By = By.INDEX
    warns: bool = False
    advice: NextStep = NOTHING

    @property
    def verdict(self) -> str:
        """Whose rule it is, in a few words. A warning says so, because nobody refuses the file for certain."""
        return f"a warning of {self.by}" if self.warns else _VERDICTS[self.by]


class Problem(msgspec.Struct, frozen=True):
    """A broken rule. ``what`` is one printable line about the file."""

    rule: CheckRule
    what: str

    @property
    def line(self) -> str:
        """The problem, the name of its rule, and whose rule it is."""
        return f"{self.what} [{self.rule.name}: {self.rule.verdict}]"


def violation(rule: CheckRule, what: str) -> Problem:
    """Create a problem from text that may quote the file: remove control characters and limit the length."""
    return Problem(rule, clean(what, LENGTH_LIMIT))
