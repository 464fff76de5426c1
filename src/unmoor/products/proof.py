"""A proof: which digests were tested, how, and with which result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unmoor.products.dists import Subject
from unmoor.util.text import clean


class Verdict(StrEnum):
    """The verdict of a test. ``not tested`` never counts as passed."""

    PASSED = "passed"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one test of the subjects."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Which digests passed which tests. The manifest carries it, so that no job with credentials runs tests again."""

    name: str
    subjects: tuple[Subject, ...]
    results: tuple[Result, ...]

    @classmethod
    def of_nothing(cls, name: str, subjects: tuple[Subject, ...], *, why: str) -> Proof:
        """A proof that tested nothing: every subject is *not tested*, with the reason."""
        results = (Result(name=each.name, verdict=Verdict.NOT_TESTED, detail=why) for each in subjects)
        return cls(name=name, subjects=subjects, results=tuple(results))

    @property
    def summary(self) -> str:
        """The number of passed tests and the names of those not run, in one line."""
        passed = sum(result.verdict is Verdict.PASSED for result in self.results)
        untested = [result.name for result in self.results if result.verdict is Verdict.NOT_TESTED]
        return f"{passed} passed" + (f"; not tested: {clean(', '.join(untested))}" if untested else "")
