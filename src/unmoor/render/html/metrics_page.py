"""The page about a pipeline: what its rules say, and the figures of the last half year.

Its time is that of the newest figure, not of the clock, so the same records give the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final, TypeVar

import msgspec

from unmoor.metrics.judge.derived import flakinesses
from unmoor.metrics.judge.figures import Figures, JobFigure
from unmoor.metrics.judge.judging import with_verdict
from unmoor.metrics.judge.model import RULES, RuleLimits, RuleResult, RuleVerdict
from unmoor.metrics.judge.wording import amount, job_name, percent, time_text
from unmoor.render.html.chart import Figure, Point, draw
from unmoor.render.html.page import render_page
from unmoor.util.text import count_of

K = TypeVar("K", bound=Hashable)
_WEEKS: Final = 26
_MOST_FIGURES: Final = 30
_MOST_POINTS: Final = 120
_MOST_ROWS: Final = 100


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A table."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class PageSection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page."""

    id: str
    title: str
    text: str = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[Rows, ...] = ()


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says."""

    subject: str
    about: str
    found: str
    limit: str
    why: str


class RuleGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one verdict. What is unknown has no figures."""

    state: str
    rows: tuple[RuleRow, ...]
    has_figures: bool


class MetricsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the template prints."""

    title: str
    as_of: str
    counts: tuple[tuple[str, int], ...]
    rules: tuple[RuleGroup, ...]
    sections: tuple[PageSection, ...]

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """The parts, by id and title."""
        return (("rules", "Rules"), *((each.id, each.title) for each in self.sections))


def metrics_page(project: str, figures: Figures, judgements: Sequence[RuleResult], limits: RuleLimits) -> bytes:
    """Return the page as HTML."""
    newest = figures.newest
    since = (newest - timedelta(weeks=_WEEKS)) if newest else None
    recent = _since(figures, since)
    page = MetricsPage(
        title=f"Metrics of {project}",
        as_of=f"As of {newest:%Y-%m-%d %H:%M} UTC, the time of the newest figure; figures of {_WEEKS} weeks"
        if newest
        else "Nothing is recorded yet",
        counts=tuple((str(verdict), len(with_verdict(judgements, verdict))) for verdict in RuleVerdict),
        rules=tuple(_rules(judgements)),
        sections=(
            _runs(recent, limits),
            _jobs(recent),
            _flaky(recent),
            _coverage(recent, limits),
            _benchmarks(recent),
            _findings(recent),
            _updates(figures, newest),
            _releases(recent),
        ),
    )
    return render_page("metrics.html", page=page)


def _since(figures: Figures, since: datetime | None) -> Figures:
    if since is None:
        return figures
    return Figures(
        runs=tuple(each for each in figures.runs if each.at >= since),
        jobs=tuple(each for each in figures.jobs if each.at >= since),
        benchmarks=tuple(each for each in figures.benchmarks if each.at >= since),
        coverage=tuple(each for each in figures.coverage if each.at >= since),
        findings=tuple(each for each in figures.findings if each.at >= since),
        releases=tuple(each for each in figures.releases if each.at >= since),
    )


def _rules(judgements: Sequence[RuleResult]) -> Iterator[RuleGroup]:
    for verdict in RuleVerdict:
        found = with_verdict(judgements, verdict)
        rows = tuple(
            RuleRow(subject=each.subject, about=RULES[each.rule], found=each.found, limit=each.limit, why=each.why)
            for each in found
        )
        if rows:
            yield RuleGroup(state=str(verdict), rows=rows, has_figures=verdict is not RuleVerdict.UNKNOWN)


def _week(moment: datetime) -> date:
    day = moment.date()
    return day - timedelta(days=day.weekday())


def _runs(figures: Figures, limits: RuleLimits) -> PageSection:
    weeks: dict[str, dict[date, list[bool | None]]] = defaultdict(lambda: defaultdict(list))
    for run in figures.runs:
        if not run.pull_request:
            weeks[run.workflow][_week(run.at)].append(run.succeeded)
    drawn, left_out = _busiest({name: sum(map(len, each.values())) for name, each in weeks.items()})
    made = []
    for workflow in drawn:
        points = []
        for week, results in sorted(weeks[workflow].items()):
            good, bad = results.count(True), results.count(False)
            if good + bad:
                share = good / (good + bad)
                cells = (percent(share), str(good), str(bad), str(results.count(None)))
                points.append(Point(day=week, value=share, cells=cells))
        if points:
            made.append(
                draw(
                    job_name(workflow, ""),
                    points,
                    write=percent,
                    head=("week of", "succeeded", "good", "failed", "neither"),
                    limit=limits.success,
                    is_share=True,
                    note=f"share of runs that succeeded; dashed: {percent(limits.success)}",
                )
            )
    text = "Runs outside of pull requests, by week. Cancelled and skipped runs are neither good nor failed."
    return PageSection(id="runs", title="Runs", text=text + left_out, figures=tuple(made))


def _jobs(figures: Figures) -> PageSection:
    weeks: dict[tuple[str, str], dict[date, list[JobFigure]]] = defaultdict(lambda: defaultdict(list))
    for job in figures.jobs:
        if job.succeeded and job.seconds is not None:
            weeks[job.workflow, job.name][_week(job.at)].append(job)
    drawn, left_out = _busiest({name: sum(map(len, each.values())) for name, each in weeks.items()})
    made = []
    for name in drawn:
        points = [
            Point(day=week, value=median(each.seconds or 0.0 for each in jobs), cells=_job_cells(jobs))
            for week, jobs in sorted(weeks[name].items())
        ]
        head = ("week of", "median", "longest", "queued", "runs")
        made.append(draw(job_name(*name), points, write=time_text, head=head, note="median of the jobs that succeeded"))
    text = "How long jobs took, by week. Time in the queue, before a machine began, is apart and no part of it."
    return PageSection(id="jobs", title="Jobs", text=text + left_out, figures=tuple(made))


def _job_cells(jobs: Sequence[JobFigure]) -> tuple[str, ...]:
    times = [each.seconds for each in jobs if each.seconds is not None]
    queued = [each.queued for each in jobs if each.queued is not None]
    waited = time_text(median(queued)) if queued else "unknown"
    return (time_text(median(times)), time_text(max(times)), waited, str(len(jobs)))


def _flaky(figures: Figures) -> PageSection:
    found = [each for each in flakinesses(figures.jobs) if each.flaky]
    found.sort(key=lambda each: (-each.share, each.subject))
    rows = tuple((each.subject, str(each.flaky), str(each.groups), percent(each.share)) for each in found[:_MOST_ROWS])
    text = "Jobs with both results for one commit: in attempts of a run, or in runs of pushes of a commit."
    tables = (Rows(title="Flaky jobs", head=("job", "flaky", "commits", "share"), rows=rows),) if rows else ()
    return PageSection(id="flaky", title="Flaky jobs", text=text if rows else f"{text} There are none.", tables=tables)


def _coverage(figures: Figures, limits: RuleLimits) -> PageSection:
    points = [
        Point(day=each.at.date(), value=each.share, cells=(percent(each.share), f"{each.covered} of {each.lines}"))
        for each in figures.coverage[-_MOST_POINTS:]
        if each.share is not None
    ]
    if not points:
        return PageSection(id="coverage", title="Coverage")
    drawn = draw(
        "Coverage of the tests",
        points,
        write=percent,
        head=("day", "covered", "lines"),
        limit=limits.coverage,
        is_share=True,
        note=f"dashed: {percent(limits.coverage)}",
        join_days=60,
    )
    return PageSection(id="coverage", title="Coverage", figures=(drawn,))


def _benchmarks(figures: Figures) -> PageSection:
    series: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for each in figures.benchmarks:
        series[each.name, each.unit, each.machine].append(Point(day=each.at.date(), value=each.value))
    drawn, left_out = _busiest({name: len(points) for name, points in series.items()})
    made = tuple(
        draw(
            name,
            series[name, unit, machine][-_MOST_POINTS:],
            write=lambda value, unit=unit: amount(value, unit),  # type: ignore[misc]  # binds this unit
            head=("day", "median"),
            note=f"on {machine}" if machine else "",
            join_days=60,
        )
        for name, unit, machine in drawn
    )
    return PageSection(id="benchmarks", title="Benchmarks", text=left_out.strip(), figures=made)


def _findings(figures: Figures) -> PageSection:
    newest = {each.tool: each for each in figures.findings}
    rows = tuple(
        (tool, str(each.errors), str(each.warnings), str(each.notes), f"{each.at:%Y-%m-%d}")
        for tool, each in sorted(newest.items())
    )
    head = ("tool", "errors", "warnings", "notes", "day")
    tables = (Rows(title="Findings", head=head, rows=rows),) if rows else ()
    return PageSection(id="findings", title="Findings", text="The newest of each scan." if rows else "", tables=tables)


def _updates(figures: Figures, newest: datetime | None) -> PageSection:
    if not figures.updates or newest is None:
        return PageSection(id="updates", title="Updates")
    still_open = [each for each in figures.updates if each.closed is None]
    merged = [each for each in figures.updates if each.merged is not None]
    waits = [(each.merged - each.created).total_seconds() / 86_400 for each in merged if each.merged]
    text = f"{len(still_open)} open, {len(merged)} merged"
    text += f", half of them within {count_of(max(1, round(median(waits))), 'day')}." if waits else "."
    rows = tuple(
        (f"#{each.number}", each.title, f"{each.created:%Y-%m-%d}", count_of((newest - each.created).days, "day"))
        for each in still_open[:_MOST_ROWS]
    )
    tables = (Rows(title="Open updates", head=("number", "title", "opened", "age"), rows=rows),) if rows else ()
    return PageSection(id="updates", title="Updates", text=text, tables=tables)


def _releases(figures: Figures) -> PageSection:
    rows = tuple((each.tag, f"{each.at:%Y-%m-%d}") for each in reversed(figures.releases[-_MOST_ROWS:]))
    tables = (Rows(title="Releases", head=("tag", "published"), rows=rows),) if rows else ()
    return PageSection(id="releases", title="Releases", tables=tables)


def _busiest(counts: dict[K, int]) -> tuple[list[K], str]:
    """The names with the most figures, in their order, and a sentence about those that are left out."""
    names: Iterable[K] = sorted(counts, key=lambda name: (-counts[name], str(name)))
    chosen = set(list(names)[:_MOST_FIGURES])
    rest = len(counts) - len(chosen)
    return [
        name for name in sorted(counts, key=str) if name in chosen
    ], f" {rest} with fewer are left out." if rest else ""
