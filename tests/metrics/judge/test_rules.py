"""The rules against series whose truth is known: planted failures, slow-downs and flaky jobs."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from unmoor.metrics.judge.figures import (
    CoverageFigure,
    Figures,
    FindingsFigure,
    JobFigure,
    Measurement,
    RunFigure,
    UpdateFigure,
)
from unmoor.metrics.judge.judging import judge, summary
from unmoor.metrics.judge.model import Rule, RuleLimits, RuleResult, RuleVerdict
from unmoor.util.values import replace

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CI = ".github/workflows/ci.yml"
BROKEN, UNKNOWN, HOLDS = RuleVerdict.BROKEN, RuleVerdict.UNKNOWN, RuleVerdict.HOLDS


def at(number: int, *, every: timedelta = timedelta(hours=6)) -> datetime:
    """A moment before now: 0 is the newest."""
    return NOW - every * number - timedelta(hours=1)


def runs(conclusions: Sequence[str], *, pull_request: bool = False) -> tuple[RunFigure, ...]:
    """Runs with these conclusions, the last one being the newest."""
    count = len(conclusions)
    return tuple(
        RunFigure(id=place, workflow=CI, at=at(count - place), conclusion=each, pull_request=pull_request)
        for place, each in enumerate(conclusions)
    )


def job(place: int, conclusion: str = "success", **others: Any) -> JobFigure:
    """A job that took a minute, on a commit of its own."""
    fields: dict[str, Any] = {
        "run": place,
        "attempt": 1,
        "workflow": CI,
        "name": "test",
        "commit": f"{place:040x}",
        "event": "push",
        "conclusion": conclusion,
        "at": at(200 - place, every=timedelta(hours=3)),
        "seconds": 60.0,
        **others,
    }
    return JobFigure(**{"begin": fields["at"], **fields})


def timed(seconds: Sequence[float], **others: Any) -> tuple[JobFigure, ...]:
    """Jobs that took these times, the last one being the newest."""
    return tuple(job(200 - len(seconds) + place, seconds=each, **others) for place, each in enumerate(seconds))


def ask(rule: Rule, figures: Figures, **limits: Any) -> tuple[RuleResult, ...]:
    """What one rule says of the figures."""
    return judge(figures, replace(RuleLimits(budgets={}), rules=(rule,), **limits), NOW)


def verdicts(judgements: Sequence[RuleResult]) -> list[RuleVerdict]:
    """Only the verdicts."""
    return [each.verdict for each in judgements]


GOOD, BAD = "success", "failure"


@pytest.mark.parametrize(
    ("conclusions", "verdict"),
    [
        pytest.param([GOOD] * 19 + [BAD], HOLDS, id="19 of 20"),
        pytest.param([GOOD] * 18 + [BAD] * 2, BROKEN, id="18 of 20"),
        pytest.param([GOOD] * 18 + ["timed_out", "startup_failure"], BROKEN, id="other failures"),
        pytest.param([GOOD] * 20 + ["cancelled"] * 20 + ["skipped"] * 20, HOLDS, id="neither"),
        pytest.param([BAD] * 19, UNKNOWN, id="too few"),
        pytest.param([BAD] * 19 + ["cancelled"] * 30, UNKNOWN, id="too few that count"),
        pytest.param([BAD] * 10 + [GOOD] * 100, HOLDS, id="the last 100"),
        pytest.param([], UNKNOWN, id="none"),
    ],
)
def test_the_share_of_runs_that_succeed(conclusions: list[str], verdict: RuleVerdict) -> None:
    """Cancelled and skipped runs count for neither side, and fewer than 20 runs say nothing."""
    assert verdicts(ask("success", Figures(runs=runs(conclusions)))) == [verdict]


def test_runs_of_pull_requests_and_old_runs_do_not_count() -> None:
    """A change may fail before it is merged, and what failed long ago is over."""
    failed = runs([BAD] * 40, pull_request=True)
    old = tuple(replace(each, at=each.at - timedelta(days=60)) for each in runs([BAD] * 40))
    assert verdicts(ask("success", Figures(runs=(*old, *failed, *runs([GOOD] * 30))))) == [HOLDS]


def _noise(kind: str, count: int, seed: int) -> list[float]:
    """Times around five minutes: spread evenly, with spikes, or like slow and fast days."""
    chance = random.Random(seed)  # noqa: S311 - noise
    times, day = [], 0.0
    for _ in range(count):
        step = chance.gauss(0, 1)
        day = 0.8 * day + 0.6 * step
        spread = {"even": 0.1 * step, "spikes": 0.05 * step, "days": 0.1 * day}[kind]
        spike = 3 if kind == "spikes" and chance.random() < 0.1 else 1
        times.append(300 * math.exp(spread) * spike)
    return times


@pytest.mark.parametrize("kind", ["even", "spikes", "days"])
def test_a_planted_slow_down_is_found_and_noise_is_not(kind: str) -> None:
    """Of 100 series, at most 2 alarms without a slow-down; and at least 90 (50 on slow days) with one of 25 %."""
    alarms = {0.0: 0, 0.25: 0}
    for planted in alarms:
        for seed in range(100):
            times = _noise(kind, 80, seed)
            times[60:] = [each * (1 + planted) for each in times[60:]]
            alarms[planted] += verdicts(ask("regression", Figures(jobs=timed(times)))) == [BROKEN]
    assert alarms[0.0] <= 2
    assert alarms[0.25] >= (50 if kind == "days" else 90)


@pytest.mark.parametrize(
    ("seconds", "others", "expected"),
    [
        pytest.param([60.0] * 60 + [65.0] * 20, {}, [HOLDS], id="8 percent"),
        pytest.param([60.0] * 60 + [67.0] * 20, {}, [BROKEN], id="12 percent"),
        pytest.param([4.0] * 60 + [5.0] * 20, {}, [HOLDS], id="one second"),
        pytest.param([60.0] * 60 + [67.0] * 20, {"event": "pull_request"}, [UNKNOWN], id="pull requests"),
        pytest.param([60.0] * 60 + [67.0] * 20, {"conclusion": "cancelled"}, [UNKNOWN], id="cancelled"),
        pytest.param([60.0] * 19 + [90.0] * 20, {}, [UNKNOWN], id="too few"),
        pytest.param([90.0] * 60 + [60.0] * 20, {}, [HOLDS], id="faster"),
    ],
)
def test_what_counts_as_slower(seconds: list[float], others: dict[str, Any], expected: list[RuleVerdict]) -> None:
    """More than the limit and more than two seconds, of jobs that succeeded outside of pull requests."""
    assert verdicts(ask("regression", Figures(jobs=timed(seconds, **others)))) == expected


def test_of_many_noisy_jobs_only_the_slower_one_is_named() -> None:
    """Forty jobs are compared at once, and one of them became slower."""
    jobs = [each for number in range(40) for each in timed(_noise("even", 80, number), name=f"job {number}")]
    slow = _noise("even", 80, 99)
    slow[60:] = [each * 1.3 for each in slow[60:]]
    said = ask("regression", Figures(jobs=(*jobs, *timed(slow, name="slow"))))
    assert [each.subject for each in said if each.verdict is BROKEN] == ["ci.yml: slow"]


@pytest.mark.parametrize(("unit", "before", "after"), [("s", 0.02, 0.03), ("bytes", 2e6, 3e6)])
def test_a_benchmark_that_became_slower(unit: str, before: float, after: float) -> None:
    """Values of another machine are a series of their own."""
    values = [before] * 30 + [after] * 20
    measured = tuple(
        Measurement(name="parse", unit=unit, machine=machine, at=at(50 - place), value=value if machine == "a" else 1.0)
        for place, value in enumerate(values)
        for machine in ("a", "b")
    )
    said = ask("regression", Figures(benchmarks=measured))
    assert [(each.subject, each.verdict) for each in said] == [("parse on a", BROKEN), ("parse on b", HOLDS)]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        pytest.param([job(place) for place in range(150, 170)], HOLDS, id="steady"),
        pytest.param(
            [
                job(150 + place, attempt=1 + again, conclusion=(BAD, GOOD)[again])
                for place in range(2)
                for again in (0, 1)
            ]
            + [job(place) for place in range(160, 180)],
            BROKEN,
            id="attempts",
        ),
        pytest.param(
            [job(150 + place, conclusion=(BAD, GOOD)[place], commit="a" * 40) for place in (0, 1)]
            + [job(160, conclusion=BAD), job(161, commit=f"{160:040x}")]
            + [job(place) for place in range(162, 180)],
            BROKEN,
            id="pushes of one commit",
        ),
        pytest.param(
            [
                job(150 + place, conclusion=(BAD, GOOD)[place % 2], commit="a" * 40, event="pull_request")
                for place in range(30)
            ],
            HOLDS,
            id="runs of pull requests",
        ),
        pytest.param(
            [job(150, attempt=1 + again, conclusion=("cancelled", GOOD)[again]) for again in (0, 1)]
            + [job(place) for place in range(160, 180)],
            HOLDS,
            id="cancelled",
        ),
        pytest.param(
            [job(150, attempt=1 + again, conclusion=(BAD, GOOD)[again]) for again in (0, 1)], UNKNOWN, id="few"
        ),
    ],
)
def test_flaky_jobs(jobs: list[JobFigure], expected: RuleVerdict) -> None:
    """Both results for one commit make a job flaky; a merge commit moves, so runs of pull requests stand alone."""
    assert verdicts(ask("flaky", Figures(jobs=tuple(jobs)))) == [expected]


@pytest.mark.parametrize(
    ("seconds", "limit", "expected"),
    [
        pytest.param([59.0] * 20, 60.0, HOLDS, id="within"),
        pytest.param([61.0] * 20, 60.0, BROKEN, id="over"),
        pytest.param([10.0] * 19 + [900.0], 60.0, HOLDS, id="one hung"),
        pytest.param([900.0] * 30 + [10.0] * 20, 60.0, HOLDS, id="faster now"),
        pytest.param([900.0] * 19, 60.0, UNKNOWN, id="too few"),
        pytest.param([], 60.0, UNKNOWN, id="no such job"),
    ],
)
def test_the_budget_of_a_job(seconds: list[float], limit: float, expected: RuleVerdict) -> None:
    """The median of the last 20 counts."""
    assert verdicts(ask("budget", Figures(jobs=timed(seconds)), budgets={"*TEST*": limit})) == [expected]


def test_the_budget_of_a_workflow_counts_the_time_in_which_a_job_runs() -> None:
    """Jobs beside each other count once, waiting between them counts for nothing, and second attempts not at all."""
    jobs = []
    for place in range(160, 185):
        begin = at(200 - place)
        later = begin + timedelta(minutes=30)  # waits for a machine
        jobs += [
            job(place, name="a", seconds=120.0, begin=begin),
            job(place, name="b", seconds=60.0, begin=begin + timedelta(seconds=30)),
            job(place, name="c", seconds=60.0, begin=later),
            job(place, name="d", conclusion="skipped", seconds=None),
            job(place, name="a", attempt=2, seconds=9000.0, begin=later),
        ]
    (said,) = ask("budget", Figures(jobs=tuple(jobs)), budgets={"ci.yml": 179.0})
    assert (said.verdict, said.found, said.subject) == (BROKEN, "3 min", "ci.yml")


ENOUGH_RUNS = runs([GOOD] * 20)


@pytest.mark.parametrize(
    ("covered", "age", "verdict"),
    [(80, 1, HOLDS), (79, 1, BROKEN), (79, 40, UNKNOWN)],
    ids=["enough", "below", "old"],
)
def test_coverage(covered: int, age: int, verdict: RuleVerdict) -> None:
    """The newest measurement counts, unless it is old."""
    measured = CoverageFigure(at=NOW - timedelta(days=age), covered=covered, lines=100)
    assert verdicts(ask("coverage", Figures(runs=ENOUGH_RUNS, coverage=(measured,)))) == [verdict]


def test_coverage_counts_branches_as_coverage_does() -> None:
    """Lines and branches together are one share."""
    assert CoverageFigure(at=NOW, covered=90, lines=100, branches_covered=10, branches=100).share == 0.5
    assert CoverageFigure(at=NOW, covered=0, lines=0).share is None


@pytest.mark.parametrize(("errors", "limit", "verdict"), [(0, 0, HOLDS), (1, 0, BROKEN), (1, 1, HOLDS)], ids=str)
def test_findings(errors: int, limit: int, verdict: RuleVerdict) -> None:
    """Only errors count, and only the newest of each tool."""
    old = FindingsFigure(tool="scan", at=at(9), errors=9, warnings=0, notes=0)
    new = FindingsFigure(tool="scan", at=at(1), errors=errors, warnings=7, notes=7)
    assert verdicts(ask("findings", Figures(runs=ENOUGH_RUNS, findings=(old, new)), findings=limit)) == [verdict]


@pytest.mark.parametrize(
    ("age", "closed", "verdict"),
    [(6, False, HOLDS), (8, False, BROKEN), (80, True, HOLDS)],
    ids=["young", "late", "closed"],
)
def test_updates_that_wait(age: int, verdict: RuleVerdict, *, closed: bool) -> None:
    """An update that is open for more than a week is named, with its number."""
    update = UpdateFigure(
        number=7, title="Bump x", created=NOW - timedelta(days=age), closed=NOW if closed else None, merged=None
    )
    (said,) = ask("updates", Figures(runs=ENOUGH_RUNS, updates=(update,)))
    assert said.verdict is verdict
    assert said.subject == ("#7 Bump x" if verdict is BROKEN else "all updates")


def test_updates_are_unknown_if_nobody_looked_lately() -> None:
    """An update that was open long ago may have been merged since."""
    old = tuple(replace(each, at=each.at - timedelta(days=9)) for each in ENOUGH_RUNS)
    update = UpdateFigure(number=7, title="Bump x", created=NOW - timedelta(days=20))
    assert verdicts(ask("updates", Figures(runs=old, updates=(update,)))) == [UNKNOWN]
    assert verdicts(ask("updates", Figures(runs=old, updates=(update,), fetched=at(0)))) == [BROKEN]


@pytest.mark.parametrize("rule", ["coverage", "findings", "updates"])
def test_no_rule_speaks_on_fewer_than_20_runs(rule: Rule) -> None:
    """Not even one about a single bad figure."""
    figures = Figures(
        runs=runs([GOOD] * 19),
        coverage=(CoverageFigure(at=at(1), covered=0, lines=100),),
        findings=(FindingsFigure(tool="scan", at=at(1), errors=9, warnings=0, notes=0),),
        updates=(UpdateFigure(number=7, title="Bump x", created=NOW - timedelta(days=20)),),
    )
    assert verdicts(ask(rule, figures)) == [UNKNOWN]


def test_without_any_figure_everything_is_unknown_and_nothing_passes() -> None:
    """The line that counts them names no rule that is kept."""
    said = judge(Figures(), RuleLimits(budgets={"*test*": 60.0}), NOW)
    assert set(verdicts(said)) == {UNKNOWN}
    assert summary(said) == "0 rules broken, 7 unknown, 0 kept"


def test_names_from_outside_are_cleaned() -> None:
    """A job's name cannot move the cursor."""
    (said,) = ask("budget", Figures(jobs=timed([99.0] * 20, name="x\x1b[2Jtest")), budgets={"*test": 9.0})
    assert said.subject == "ci.yml: x test"
