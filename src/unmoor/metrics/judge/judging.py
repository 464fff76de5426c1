"""Apply the rules to the figures of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from unmoor.config.amounts import seconds_of, share_of
from unmoor.config.metrics import MetricsSettings
from unmoor.metrics.judge import rules
from unmoor.metrics.judge.figures import Figures
from unmoor.metrics.judge.model import Rule, RuleLimits, RuleResult, RuleVerdict
from unmoor.metrics.judge.rules import RuleInput
from unmoor.util.text import clean, count_of
from unmoor.util.values import replace

_RULES: Final[Mapping[Rule, Callable[[RuleInput], Iterable[RuleResult]]]] = {
    "success": rules.success,
    "flaky": rules.flaky,
    "budget": rules.budget,
    "regression": rules.regression,
    "coverage": rules.coverage,
    "findings": rules.findings,
    "updates": rules.updates,
}
_ORDER: Final = tuple(RuleVerdict)


def judge(figures: Figures, limits: RuleLimits, now: datetime) -> tuple[RuleResult, ...]:
    """Apply the rules that are on: what is broken first, then what is unknown, then what holds."""
    asked = RuleInput(figures=figures, limits=limits, now=now)
    found = [
        replace(each, subject=clean(each.subject), why=clean(each.why))
        for name, rule in _RULES.items()
        if name in limits.rules
        for each in rule(asked)
    ]
    return tuple(sorted(found, key=lambda each: _ORDER.index(each.verdict)))


def with_verdict(judgements: Sequence[RuleResult], verdict: RuleVerdict) -> tuple[RuleResult, ...]:
    """Those of one verdict, in their order."""
    return tuple(each for each in judgements if each.verdict is verdict)


def summary(judgements: Sequence[RuleResult]) -> str:
    """Count the verdicts in one line. What is unknown is no pass."""
    broken, unknown, holds = (len(with_verdict(judgements, verdict)) for verdict in RuleVerdict)
    return f"{count_of(broken, 'rule')} broken, {unknown} unknown, {holds} kept"


def limits_of(settings: MetricsSettings) -> RuleLimits:
    """The limits of a project's settings."""
    return RuleLimits(
        rules=settings.rules,
        days=settings.days,
        success=share_of(settings.success_rate),
        flaky=share_of(settings.flaky_rate),
        budgets={pattern: seconds_of(limit) for pattern, limit in settings.budgets.items()},
        regression=share_of(settings.regression),
        coverage=share_of(settings.coverage),
        findings=settings.findings,
        update_days=settings.update_days,
    )
