"""A proof: which digests were tested, how, and with which result."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor.core.waivers import GateResult
from unmoor.products.dists import Subject
from unmoor.util.text import clean, count_of
from unmoor.util.values import replace

REBUILD = "rebuild"
"""The name of the proof that a second build gives the same bytes. It says nothing of whether a file works."""


class Verdict(StrEnum):
    """The verdict of a test. ``not tested`` never counts as passed. What ``failed`` and is in a proof is advisory.

    ``waived``: it did not pass, and an emergency let the release go on all the same.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_TESTED = "not tested"
    WAIVED = "waived"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check of the subjects.

    ``counts`` are the numbers of a project's own tests, as in ``1,204 passed, 3 skipped``; empty if they are unknown
    or this is another check. Another machine may count others, so the manifest does not hold them.
    """

    name: str
    verdict: Verdict
    detail: str = ""
    counts: str = ""

    @classmethod
    def of_waived(cls, name: str, result: GateResult) -> Result:
        """The result of what did not pass, and was waived."""
        return cls(name=name, verdict=Verdict.WAIVED, detail=f"{result.verdict}: {result.detail}")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Which digests passed which tests. The manifest carries it, so that no job with credentials runs tests again."""

    name: str
    subjects: tuple[Subject, ...]
    results: tuple[Result, ...]

    @classmethod
    def of_nothing(cls, name: str, subjects: tuple[Subject, ...], *, why: str) -> Proof:
        """A proof that tested nothing: every subject is *not tested*, with the reason."""
        results = (Result(name=each.name, verdict=Verdict.NOT_TESTED, detail=why) for each in subjects)
        return cls(name=name, subjects=subjects, results=tuple(results))

    def without_counts(self) -> Proof:
        """The same proof without what another machine may count differently."""
        return replace(self, results=tuple(replace(result, counts="") for result in self.results))

    @property
    def untested(self) -> tuple[Result, ...]:
        """The results of what was not tested."""
        return tuple(result for result in self.results if result.verdict is Verdict.NOT_TESTED)

    @property
    def waived(self) -> tuple[Result, ...]:
        """The results of what did not pass, and was waived in an emergency."""
        return tuple(result for result in self.results if result.verdict is Verdict.WAIVED)

    @property
    def summary(self) -> str:
        """How many checks passed, what the project's own tests say, and the names of what failed or was not tested."""
        passed = [result for result in self.results if result.verdict is Verdict.PASSED]
        suites = [f"tests: {clean(result.counts)}" for result in passed if result.counts]
        untested = [result.name for result in self.untested]
        failed = [result.name for result in self.results if result.verdict is Verdict.FAILED]
        parts = [f"{count_of(len(passed), 'check')} passed", *suites]
        waived = [result.name for result in self.waived]
        parts += [f"failed: {clean(', '.join(failed))}"] if failed else []
        parts += [f"waived in an emergency: {clean(', '.join(waived))}"] if waived else []
        return "; ".join([*parts, f"not tested: {clean(', '.join(untested))}"] if untested else parts)
