"""What was tested, on which digests, and what the tests said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unmoor.products.dists import Subject
from unmoor.util.text import clean


class Verdict(StrEnum):
    """What a test said. ``not tested`` is never a pass."""

    PASSED = "passed"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One thing that was tried on the subjects."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Which digests passed which test; travels in the manifest and is never made again beside credentials."""

    name: str
    subjects: tuple[Subject, ...]
    results: tuple[Result, ...]

    @property
    def summary(self) -> str:
        """How many tests passed, and which were not run, in one line."""
        passed = sum(result.verdict is Verdict.PASSED for result in self.results)
        untested = [result.name for result in self.results if result.verdict is Verdict.NOT_TESTED]
        return f"{passed} passed" + (f"; not tested: {clean(', '.join(untested))}" if untested else "")
