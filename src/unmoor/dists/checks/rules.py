"""A check rule, and a problem that breaks one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unmoor.util.text import clean

# The longest text of a problem, in characters.
LENGTH_LIMIT = 600


class By(StrEnum):
    """Who would refuse the file."""

    INDEX = "PyPI"
    UPLOADER = "twine"
    INSTALLERS = "installers"
    UNMOOR = "unmoor"


@dataclass(frozen=True, kw_only=True)
class CheckRule:
    """One requirement for a file. ``refuses`` names what breaks it. If ``warns``, it never stops a release."""

    name: str
    refuses: str
    by: By = By.INDEX
    warns: bool = False


@dataclass(frozen=True)
class Problem:
    """A broken rule. ``what`` is one printable line about the file."""

    rule: CheckRule
    what: str

    @property
    def line(self) -> str:
        """The problem and the name of its rule."""
        return f"{self.what} [{self.rule.name}]"


def violation(rule: CheckRule, what: str) -> Problem:
    """Create a problem from text that may quote the file: remove control characters and limit the length."""
    return Problem(rule, clean(what, LENGTH_LIMIT))
