"""What a rule is, and what breaking one looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unmoor.util.text import clean

# What one problem may say, in characters.
LENGTH_LIMIT = 600


class By(StrEnum):
    """Who would refuse the file."""

    INDEX = "PyPI"
    UPLOADER = "twine"
    INSTALLERS = "installers"
    UNMOOR = "unmoor"


@dataclass(frozen=True, kw_only=True)
class CheckRule:
    """One thing that a file owes. ``warns``: it is told, and hinders nobody."""

    name: str
    refuses: str
    by: By = By.INDEX
    warns: bool = False


@dataclass(frozen=True)
class Problem:
    """A broken rule: ``what`` is one printable line about the file."""

    rule: CheckRule
    what: str

    @property
    def line(self) -> str:
        """The problem and the name of its rule."""
        return f"{self.what} [{self.rule.name}]"


def violation(rule: CheckRule, what: str) -> Problem:
    """Make a problem of text that may quote the file: control characters go, its length is limited."""
    return Problem(rule, clean(what, LENGTH_LIMIT))
