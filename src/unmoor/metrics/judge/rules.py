"""The rules. Each looks at the figures and returns a judgement for each workflow, job, benchmark, tool or update.

A rule about runs needs 20 of them. Runs that are neither a success nor a failure count for none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from statistics import median
from typing import Final

import msgspec

from unmoor.metrics.judge.derived import durations, flakinesses
from unmoor.metrics.judge.evidence import holm, p_longer
from unmoor.metrics.judge.figures import Figures
from unmoor.metrics.judge.model import Rule, RuleLimits, RuleResult, RuleVerdict
from unmoor.metrics.judge.wording import amount, job_name, percent, time_text
from unmoor.util.text import count_of

ENOUGH: Final = 20
"""The fewest runs that a rule speaks on."""
_MOST_RUNS = 100
_BEFORE = 60
_LEVEL = 0.01
_LATELY = timedelta(days=7)
# A forge counts whole seconds: 4 s become 5 s by chance.
_LEAST_SECONDS = 2.0


class RuleInput(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules are asked: which figures, by which limits, at what time."""

    figures: Figures
    limits: RuleLimits
    now: datetime

    @property
    def since(self) -> datetime:
        """The time from which figures count."""
        return self.now - timedelta(days=self.limits.days)


def success(asked: RuleInput) -> Iterator[RuleResult]:
    """The share of a workflow's last runs that succeeded. Runs of pull requests may fail: that is what they are for."""
    by_workflow: dict[str, list[bool]] = defaultdict(list)
    for run in asked.figures.runs:
        if not run.pull_request and run.at >= asked.since and run.succeeded is not None:
            by_workflow[run.workflow].append(run.succeeded)
    if not by_workflow:
        yield _unknown("success", "all workflows", f"no run has ended in {count_of(asked.limits.days, 'day')}")
    for path, all_runs in sorted(by_workflow.items()):
        workflow, runs = job_name(path, ""), all_runs[-_MOST_RUNS:]
        if len(runs) < ENOUGH:
            yield _too_few("success", workflow, len(runs))
            continue
        share = sum(runs) / len(runs)
        yield RuleResult(
            rule="success",
            subject=workflow,
            verdict=_broken(share < asked.limits.success),
            found=percent(share),
            limit=percent(asked.limits.success),
            why=f"{count_of(len(runs) - sum(runs), 'failure')} in {len(runs)} runs",
        )


def flaky(asked: RuleInput) -> Iterator[RuleResult]:
    """The share of the commits on which a job had both results."""
    jobs = flakinesses(job for job in asked.figures.jobs if job.at >= asked.since)
    if not any(each.flaky or each.groups >= ENOUGH for each in jobs):
        yield _too_few("flaky", "all jobs", max((each.groups for each in jobs), default=0))
    for flakiness in jobs:
        if flakiness.groups < ENOUGH:
            if flakiness.flaky:
                yield _too_few("flaky", flakiness.subject, flakiness.groups)
            continue
        yield RuleResult(
            rule="flaky",
            subject=flakiness.subject,
            verdict=_broken(flakiness.share > asked.limits.flaky),
            found=percent(flakiness.share),
            limit=percent(asked.limits.flaky),
            why=f"both results for {flakiness.flaky} of {flakiness.groups} commits",
        )


def budget(asked: RuleInput) -> Iterator[RuleResult]:
    """The median time of the last successful runs of the workflows and jobs that a pattern names."""
    times = durations(job for job in asked.figures.jobs if job.at >= asked.since)
    for pattern, limit in asked.limits.budgets.items():
        found = False
        for subject, seconds in times.items():
            if not _is_named(subject, pattern):
                continue
            found = True
            name = job_name(*subject)
            if len(seconds) < ENOUGH:
                yield _too_few("budget", name, len(seconds))
                continue
            middle = median(seconds[-ENOUGH:])
            yield RuleResult(
                rule="budget",
                subject=name,
                verdict=_broken(middle > limit),
                found=time_text(middle),
                limit=time_text(limit),
                why=f"median of the last {ENOUGH} that succeeded; {pattern}",
            )
        if not found:
            yield _unknown(
                "budget", pattern, f"nothing of that name has succeeded in {count_of(asked.limits.days, 'day')}"
            )


class FigureSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one job or benchmark in the order of time. ``least`` is the smallest difference that counts."""

    subject: str
    values: tuple[float, ...]
    unit: str = "s"
    least: float = 0.0

    @property
    def before(self) -> tuple[float, ...]:
        """What the last values are compared with."""
        return self.values[-_BEFORE - ENOUGH : -ENOUGH]

    @property
    def after(self) -> tuple[float, ...]:
        """The last values."""
        return self.values[-ENOUGH:]


def regression(asked: RuleInput) -> Iterator[RuleResult]:
    """The last 20 successful runs of a job, and the last 20 values of a benchmark, against up to 60 before them.

    Slower needs both: a median that is higher by more than the limit, and ranks that chance does not explain.
    """
    compared = []
    series = tuple(all_series(asked))
    if not series:
        yield _unknown("regression", "all jobs", f"no job has succeeded in {count_of(asked.limits.days, 'day')}")
    for each in series:
        if len(each.before) < ENOUGH:
            yield _unknown("regression", each.subject, f"{len(each.values)} of the {2 * ENOUGH} values that it needs")
        else:
            compared.append(each)
    chances = holm([p_longer(each.before, each.after) for each in compared])
    for each, chance in zip(compared, chances, strict=True):
        before, after = median(each.before), median(each.after)
        change = after / before - 1 if before else 0.0
        is_slower = change > asked.limits.regression and after - before >= each.least and chance <= _LEVEL
        yield RuleResult(
            rule="regression",
            subject=each.subject,
            verdict=_broken(is_slower),
            found=f"{change:+.1%}".replace("%", " %"),
            limit=f"+{percent(asked.limits.regression)}",
            why=f"median {amount(before, each.unit)} before, {amount(after, each.unit)} in the last {ENOUGH}",
        )


def all_series(asked: RuleInput) -> Iterator[FigureSeries]:
    """Every job outside of pull requests, and every benchmark on each machine, that has a recent value."""
    merged = [job for job in asked.figures.jobs if not job.of_pull_request and job.succeeded]
    recent = {(job.workflow, job.name) for job in merged if job.at >= asked.since}
    for (workflow, name), seconds in durations(merged).items():
        if name and (workflow, name) in recent:
            yield FigureSeries(subject=job_name(workflow, name), values=tuple(seconds), least=_LEAST_SECONDS)
    measured: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    fresh = set()
    for each in asked.figures.benchmarks:
        measured[each.name, each.unit, each.machine].append(each.value)
        if each.at >= asked.since:
            fresh.add((each.name, each.unit, each.machine))
    for (name, unit, machine), values in sorted(measured.items()):
        if (name, unit, machine) in fresh:
            yield FigureSeries(subject=" on ".join(filter(None, (name, machine))), values=tuple(values), unit=unit)


def coverage(asked: RuleInput) -> Iterator[RuleResult]:
    """The newest measured coverage."""
    newest = next(reversed(asked.figures.coverage), None)
    if why := _why_unknown(asked, newest.at if newest else None, "no coverage is recorded"):
        yield _unknown("coverage", "the tests", why)
    elif newest is None or newest.share is None:
        yield _unknown("coverage", "the tests", "the newest record has no lines")
    else:
        yield RuleResult(
            rule="coverage",
            subject="the tests",
            verdict=_broken(newest.share < asked.limits.coverage),
            found=percent(newest.share),
            limit=percent(asked.limits.coverage),
            why=f"measured on {newest.at:%Y-%m-%d}",
        )


def findings(asked: RuleInput) -> Iterator[RuleResult]:
    """The newest findings of each tool: its errors count."""
    newest = {each.tool: each for each in asked.figures.findings}
    if not newest:
        yield _unknown("findings", "all scans", "no findings are recorded")
    for tool, each in sorted(newest.items()):
        if why := _why_unknown(asked, each.at, ""):
            yield _unknown("findings", tool, why)
            continue
        yield RuleResult(
            rule="findings",
            subject=tool,
            verdict=_broken(each.errors > asked.limits.findings),
            found=str(each.errors),
            limit=str(asked.limits.findings),
            why=f"{count_of(each.warnings, 'warning')} and {count_of(each.notes, 'note')} on {each.at:%Y-%m-%d}",
        )


def updates(asked: RuleInput) -> Iterator[RuleResult]:
    """How long each open update has waited."""
    newest_run = asked.figures.runs[-1].at if asked.figures.runs else None
    looked = asked.figures.fetched or newest_run
    if asked.figures.updates and looked is not None and asked.now - looked > _LATELY:
        why = f"the forge was read on {looked:%Y-%m-%d} for the last time, and updates may have been merged since"
    else:
        why = _why_unknown(asked, looked, "no run is recorded")
    if why or not asked.figures.updates:
        yield _unknown("updates", "all updates", why or "no update is recorded")
        return
    limit = timedelta(days=asked.limits.update_days)
    still_open = [each for each in asked.figures.updates if each.closed is None]
    late = [each for each in still_open if asked.now - each.created > limit]
    for each in late:
        yield RuleResult(
            rule="updates",
            subject=f"#{each.number} {each.title}",
            verdict=RuleVerdict.BROKEN,
            found=count_of((asked.now - each.created).days, "day"),
            limit=count_of(limit.days, "day"),
            why=f"open since {each.created:%Y-%m-%d}",
        )
    if not late:
        yield RuleResult(
            rule="updates",
            subject="all updates",
            verdict=RuleVerdict.HOLDS,
            found=f"{len(still_open)} open",
            limit=count_of(limit.days, "day"),
            why="none has waited longer",
        )


def _why_unknown(asked: RuleInput, at: datetime | None, missing: str) -> str:
    """Say why a single figure cannot be judged; empty if it can."""
    ended = sum(run.succeeded is not None for run in asked.figures.runs)
    if at is None:
        return missing
    if at < asked.since:
        return f"the newest record is of {at:%Y-%m-%d}"
    return f"{ended} of the {ENOUGH} runs that rules need are recorded" if ended < ENOUGH else ""


def _too_few(rule: Rule, subject: str, count: int) -> RuleResult:
    return _unknown(rule, subject, f"{count} of the {ENOUGH} runs that it needs")


def _unknown(rule: Rule, subject: str, why: str) -> RuleResult:
    return RuleResult(rule=rule, subject=subject, verdict=RuleVerdict.UNKNOWN, why=why)


def _broken(is_broken: bool) -> RuleVerdict:  # noqa: FBT001 - the only argument
    return RuleVerdict.BROKEN if is_broken else RuleVerdict.HOLDS


def _is_named(subject: tuple[str, str], pattern: str) -> bool:
    """Whether a pattern names a job or, if it ends like a file, a workflow. Case does not matter."""
    workflow, name = subject
    if pattern.endswith((".yml", ".yaml")):
        return not name and fnmatchcase(PurePosixPath(workflow).name.lower(), pattern.lower())
    return bool(name) and fnmatchcase(name.lower(), pattern.lower())
