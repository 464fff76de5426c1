"""The figures of a pipeline whose truth is known: one slow job, one flaky job, low coverage, an update that waits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from unmoor.metrics.records import (
    BenchmarkRecord,
    CoverageRecord,
    FindingsRecord,
    JobRecord,
    Record,
    ReleasedRecord,
    RunRecord,
    UpdateRecord,
)

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
CI: Final = ".github/workflows/ci.yml"
DAYS: Final = 120
HOSTILE: Final = "<script>alert(1)</script> & \"quotes\" 'single' \u202e {{ 7 * 7 }}"
"""The name of a job that wants to be more than text."""


def pipeline_records(now: datetime = NOW, *, days: int = DAYS, names: Sequence[str] = (HOSTILE,)) -> list[Record]:
    """Three runs a day up to a day before ``now``. The job ``test`` takes 30 % longer in the last eight days."""
    chance = random.Random(7)  # noqa: S311 - noise
    records: list[Record] = []
    for number in range(3 * days):
        begin = now - timedelta(days=days) + timedelta(hours=8 * number)
        is_slow = begin > now - timedelta(days=9)
        commit = f"{number:040x}"
        jobs = {"lint": 80.0, "test": 400.0 * (1.3 if is_slow else 1), **dict.fromkeys(names, 60.0)}
        failed = chance.random() < 0.03
        conclusion = "failure" if failed else "cancelled" if chance.random() < 0.05 else "success"
        run = _run(number, begin, commit, conclusion)
        records.append(run)
        for place, (name, seconds) in enumerate(jobs.items()):
            flakes = name == "lint" and number % 10 == 0
            result = "failure" if flakes or (failed and name == "test") else conclusion
            times = seconds * chance.lognormvariate(0, 0.05)
            records.append(_job(run, place, name, result, times))
            if flakes:
                records.append(_job(run, 9, name, "success", times, attempt=2))
        if number % 3 == 0:
            records += _measured(commit, begin, number, days)
    return [*records, *_others(now)]


def _run(number: int, begin: datetime, commit: str, conclusion: str) -> RunRecord:
    return RunRecord(
        id=number,
        attempt=1,
        workflow=CI,
        name="CI",
        event="push",
        branch="main",
        commit=commit,
        pull_request=False,
        created=begin,
        started=begin,
        conclusion=conclusion,
    )


def _job(run: RunRecord, place: int, name: str, result: str, seconds: float, *, attempt: int = 1) -> JobRecord:
    started = run.created + timedelta(seconds=5 * attempt)
    return JobRecord(
        id=10 * run.id + place,
        run=run.id,
        attempt=attempt,
        workflow=CI,
        name=name,
        commit=run.commit,
        event="push",
        created=run.created,
        started=started,
        completed=started + timedelta(seconds=round(seconds)),
        conclusion=result,
    )


def _measured(commit: str, at: datetime, number: int, days: int) -> list[Record]:
    covered = 900 - 150 * number // (3 * days)
    return [
        CoverageRecord(commit=commit, at=at, covered=covered, lines=1000),
        BenchmarkRecord(
            commit=commit, at=at, name="parse", unit="s", value=0.02 + number % 5 * 1e-4, rounds=30, machine="x86_64"
        ),
        FindingsRecord(commit=commit, at=at, tool="bandit", errors=0, warnings=3, notes=number % 4),
    ]


def _others(now: datetime) -> list[Record]:
    return [
        ReleasedRecord(id=1, tag="v1.0.0", at=now - timedelta(days=60), prerelease=False),
        ReleasedRecord(id=2, tag="v1.1.0", at=now - timedelta(days=20), prerelease=False),
        UpdateRecord(number=11, title="Bump a from 1 to 2", author="dependabot[bot]", created=now - timedelta(days=9)),
        UpdateRecord(number=12, title="Bump b from 1 to 2", author="dependabot[bot]", created=now - timedelta(days=3)),
        UpdateRecord(
            number=10,
            title="Bump c from 1 to 2",
            author="dependabot[bot]",
            created=now - timedelta(days=30),
            closed=now - timedelta(days=28),
            merged=now - timedelta(days=28),
        ),
    ]
