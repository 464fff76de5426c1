"""A forge's past as values: runs by their dates, with what a query shows and what requests it takes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from unmoor.metrics.history.fetching import Fetched, Fetching, known_of
from unmoor.metrics.records import Record
from unmoor.metrics.store.lines import latest
from unmoor.ports.run_history import (
    CEILING,
    EXACT,
    PAGE,
    OutOfRequests,
    PastJob,
    PastPull,
    PastRelease,
    PastRun,
    RunPage,
)
from unmoor.util.values import replace

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=400)


def past_run(number: int, age: timedelta, **changes: object) -> PastRun:
    """A run that was created some time ago."""
    run = PastRun(
        id=number,
        attempt=1,
        workflow=".github/workflows/ci.yml",
        name="CI",
        event="push",
        branch="main",
        commit="a" * 40,
        status="completed",
        conclusion="success",
        created=NOW - age,
        started=NOW - age,
        url=f"http://localhost/runs/{number}",
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def past_job(number: int, run: PastRun, **changes: object) -> PastJob:
    """A job of a run, which took a minute."""
    job = PastJob(
        id=number,
        attempt=run.attempt,
        name="test",
        commit=run.commit,
        conclusion=run.conclusion,
        created=run.created,
        started=run.created,
        completed=run.created + timedelta(minutes=1),
    )
    return replace(job, **changes)  # type: ignore[arg-type]


def hourly(count: int, *, first: int = 1) -> list[PastRun]:
    """So many runs, one an hour, the last one two hours ago."""
    return [past_run(first + each, timedelta(hours=count + 1 - each)) for each in range(count)]


@dataclass
class PastForge:
    """Implements `unmoor.ports.run_history.RunHistory` on values. ``broken`` raises for the jobs of some runs."""

    past: list[PastRun] = field(default_factory=list)
    published: list[PastRelease] = field(default_factory=list)
    changed: list[PastPull] = field(default_factory=list)
    earlier: dict[tuple[int, int], PastRun] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    broken: dict[int, Exception] = field(default_factory=dict)
    budget: int = 1_000_000
    requests: int = 0
    asked: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _ask(self, what: str) -> None:
        with self._lock:
            if self.requests >= self.budget:
                raise OutOfRequests
            self.requests += 1
            self.asked.append(what)

    def runs(self, page: int, *, since: datetime | None = None, until: datetime | None = None) -> RunPage:
        """A page, newest first; no more than 1,000, and counted exactly below 2,500."""
        self._ask("runs")
        found = [
            each
            for each in sorted(self.past, key=lambda each: (each.created, each.id), reverse=True)
            if (since is None or each.created >= since) and (until is None or each.created <= until)
        ]
        shown = found[:CEILING][(page - 1) * PAGE : page * PAGE]
        return RunPage(total=min(len(found), EXACT), runs=tuple(shown))

    def run(self, number: int, *, attempt: int | None = None) -> PastRun | None:
        """A run by its number."""
        self._ask(f"run {number}" + (f" {attempt}" if attempt else ""))
        if attempt is not None:
            return self.earlier.get((number, attempt))
        return next((each for each in self.past if each.id == number and number not in self.deleted), None)

    def jobs(self, run: int) -> tuple[PastJob, ...] | None:
        """One job for each attempt."""
        self._ask(f"jobs {run}")
        if run in self.broken:
            raise self.broken[run]
        if run in self.deleted:
            return None
        last = next(each for each in self.past if each.id == run)
        attempts = [self.earlier[run, number] for number in range(1, last.attempt)]
        return tuple(past_job(run * 100 + each.attempt, each) for each in (*attempts, last))

    def releases(self, page: int) -> tuple[tuple[PastRelease, ...], bool]:
        """A page of releases."""
        self._ask("releases")
        return tuple(self.published[(page - 1) * PAGE : page * PAGE]), len(self.published) > page * PAGE

    def pulls(self, page: int) -> tuple[tuple[PastPull, ...], bool]:
        """A page of pull requests."""
        self._ask("pulls")
        ordered = sorted(self.changed, key=lambda each: each.updated, reverse=True)
        return tuple(ordered[(page - 1) * PAGE : page * PAGE]), len(ordered) > page * PAGE


@dataclass
class Kept:
    """A store that is a list. ``saves`` counts how often something was added."""

    records: list[Record] = field(default_factory=list)
    saves: int = 0

    def save(self, records: object) -> None:
        """Add records."""
        assert isinstance(records, list)
        self.records += records
        self.saves += 1

    def of(self, kind: str) -> list[Record]:
        """The records of one kind, each once."""
        return [each for each in latest(self.records) if each.folder == kind]

    def fetch(self, forge: PastForge, *, budget: int = 1_000_000, now: datetime = NOW, width: int = 4) -> Fetched:
        """Fetch from a forge, with so many requests."""
        forge.requests, forge.budget = 0, budget
        forge.asked.clear()
        fetching = Fetching(
            history=forge, known=known_of(latest(self.records)), save=self.save, now=now, since=SINCE, width=width
        )
        return fetching.run()
