"""The figures that rules and reports read, from the database that `unmoor.metrics.store.database` builds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

PASSED: Final = frozenset({"success"})
"""Conclusions of what passed."""
FAILED: Final = frozenset({"failure", "timed_out", "startup_failure"})
"""Conclusions of what failed. All others are neither: cancelled, skipped, neutral, stale, action_required."""
_PUSH: Final = "push"
_PULL_REQUEST: Final = frozenset({"pull_request", "pull_request_target", "merge_group"})


class RunFigure(msgspec.Struct, frozen=True, kw_only=True):
    """The last attempt of a run."""

    id: int
    workflow: str
    at: datetime
    conclusion: str
    pull_request: bool
    url: str = ""

    @property
    def succeeded(self) -> bool | None:
        """Whether the run succeeded; ``None`` for one that is neither a success nor a failure."""
        return _succeeded(self.conclusion)


class JobFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A job of one attempt of a run. ``begin`` and ``seconds`` are ``None`` if they are unknown."""

    run: int
    attempt: int
    workflow: str
    name: str
    commit: str
    event: str
    conclusion: str
    at: datetime
    begin: datetime | None = None
    seconds: float | None = None
    queued: float | None = None

    @property
    def succeeded(self) -> bool | None:
        """Whether the job succeeded; ``None`` for one that is neither a success nor a failure."""
        return _succeeded(self.conclusion)

    @property
    def code(self) -> tuple[str, str | int]:
        """What was tested; the same value means the same code.

        The attempts of a run have the same, and so have pushes of one commit. The runs of a pull request do not: they
        test a merge with a branch that moves, although they name one commit.
        """
        return ("commit", self.commit) if self.event == _PUSH else ("run", self.run)

    @property
    def of_pull_request(self) -> bool:
        """Whether a change that is not merged yet was tested."""
        return self.event in _PULL_REQUEST


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value of a commit."""

    name: str
    unit: str
    machine: str
    at: datetime
    value: float


class CoverageFigure(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a commit its tests ran: lines, and branches if they were measured."""

    at: datetime
    covered: int
    lines: int
    branches_covered: int | None = None
    branches: int | None = None

    @property
    def share(self) -> float | None:
        """Lines and branches together, as coverage.py counts; ``None`` if there are none."""
        total = self.lines + (self.branches or 0)
        return (self.covered + (self.branches_covered or 0)) / total if total else None


class FindingsFigure(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings a tool has in a commit."""

    tool: str
    at: datetime
    errors: int
    warnings: int
    notes: int


class UpdateFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request that updates dependencies; open while ``closed`` is ``None``."""

    number: int
    title: str
    created: datetime
    closed: datetime | None = None
    merged: datetime | None = None


class ReleaseFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A published release."""

    tag: str
    at: datetime


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known, each in the order of time. ``fetched`` is when the forge was read for the last time."""

    runs: tuple[RunFigure, ...] = ()
    jobs: tuple[JobFigure, ...] = ()
    benchmarks: tuple[Measurement, ...] = ()
    coverage: tuple[CoverageFigure, ...] = ()
    findings: tuple[FindingsFigure, ...] = ()
    updates: tuple[UpdateFigure, ...] = ()
    releases: tuple[ReleaseFigure, ...] = ()
    fetched: datetime | None = None

    @property
    def newest(self) -> datetime | None:
        """The time of the newest figure, or when the forge was read after it; ``None`` if there is none."""
        moments = [self.fetched] if self.fetched is not None else []
        moments += [each.at for kind in (self.runs, self.jobs, self.releases) for each in kind[-1:]]
        moments += [each.at for kind in (self.benchmarks, self.coverage, self.findings) for each in kind[-1:]]
        moments += [moment for each in self.updates for moment in (each.created, each.closed) if moment is not None]
        return max(moments, default=None)


_RUNS = """
    SELECT id, workflow, created AS at, conclusion, pull_request, url FROM runs AS one
    WHERE attempt = (SELECT max(attempt) FROM runs WHERE id = one.id) ORDER BY created, id
"""
_JOBS = """
    SELECT run, attempt, workflow, name, commit_id AS "commit", event, conclusion,
           coalesce(started, created, completed) AS at, started AS "begin", seconds, queued
    FROM jobs WHERE at IS NOT NULL ORDER BY at, id
"""
_BENCHMARKS = "SELECT name, unit, machine, at, value FROM benchmarks ORDER BY at, name"
_COVERAGE = "SELECT at, covered, lines, branches_covered, branches FROM coverage ORDER BY at, commit_id"
_FINDINGS = "SELECT tool, at, errors, warnings, notes FROM findings ORDER BY at, tool"
_UPDATES = "SELECT number, title, created, closed, merged FROM updates ORDER BY created, number"
_RELEASES = "SELECT tag, at FROM releases ORDER BY at, id"


def read_figures(connection: sqlite3.Connection) -> Figures:
    """Read every figure that a rule or a report needs."""
    return Figures(
        runs=tuple(RunFigure(**row | {"pull_request": bool(row["pull_request"])}) for row in _rows(connection, _RUNS)),
        jobs=tuple(JobFigure(**row) for row in _rows(connection, _JOBS)),
        benchmarks=tuple(Measurement(**row) for row in _rows(connection, _BENCHMARKS)),
        coverage=tuple(CoverageFigure(**row) for row in _rows(connection, _COVERAGE)),
        findings=tuple(FindingsFigure(**row) for row in _rows(connection, _FINDINGS)),
        updates=tuple(UpdateFigure(**row) for row in _rows(connection, _UPDATES)),
        releases=tuple(ReleaseFigure(**row) for row in _rows(connection, _RELEASES)),
    )


_TIMES = frozenset({"at", "begin", "created", "closed", "merged"})


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[dict[str, Any]]:
    """Run a query. Times are text in the database."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield {
            name: datetime.fromisoformat(value) if value is not None and name in _TIMES else value
            for name, value in zip(names, row, strict=True)
        }


def _succeeded(conclusion: str) -> bool | None:
    return True if conclusion in PASSED else False if conclusion in FAILED else None
