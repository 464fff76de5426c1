"""What the rules say: one judgement for each rule and what it looked at."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

Rule: TypeAlias = Literal["success", "flaky", "budget", "regression", "coverage", "findings", "updates"]
RULES: Final[Mapping[Rule, str]] = {
    "success": "share of runs that succeed",
    "flaky": "share of jobs with both results for one commit",
    "budget": "time limit of a job or workflow",
    "regression": "slower than before",
    "coverage": "share of the code that tests run",
    "findings": "findings of scans",
    "updates": "dependency updates that wait",
}
"""What each rule is about."""


class RuleVerdict(StrEnum):
    """What a rule says."""

    BROKEN = "broken"
    UNKNOWN = "unknown"
    HOLDS = "holds"


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of one workflow, job, benchmark, tool or update; ``subject`` names that.

    ``found`` and ``limit`` are texts for people, such as ``91.0 %``. ``why`` says what was counted, or why that is
    unknown. Names in it come from outside.
    """

    rule: Rule
    subject: str
    verdict: RuleVerdict
    found: str = ""
    limit: str = ""
    why: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two judgements of different days the same one."""
        return (self.rule, self.subject)


class RuleLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected. Shares are from 0 to 1, budgets in seconds by a pattern of names.

    Rules that are not in ``rules`` do not speak. ``days`` is how old a run may be to count.
    """

    rules: tuple[Rule, ...] = tuple(RULES)
    days: int = 30
    success: float = 0.95
    flaky: float = 0.05
    budgets: Mapping[str, float]
    regression: float = 0.10
    coverage: float = 0.80
    findings: int = 0
    update_days: int = 7
