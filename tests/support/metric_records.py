"""Records to test with."""

from __future__ import annotations

from datetime import UTC, datetime

from unmoor.metrics.records import (
    BenchmarkRecord,
    CoverageRecord,
    FetchedRecord,
    FindingsRecord,
    JobRecord,
    Record,
    ReleasedRecord,
    RunRecord,
    TestsRecord,
    UpdateRecord,
)

COMMIT = "a" * 40
MOMENT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 29, 12, 5, tzinfo=UTC)

EXAMPLES: tuple[Record, ...] = (
    RunRecord(
        id=1,
        attempt=1,
        workflow=".github/workflows/ci.yml",
        name="CI",
        event="push",
        branch="main",
        commit=COMMIT,
        pull_request=False,
        created=MOMENT,
        started=MOMENT,
        conclusion="success",
        url="http://localhost/runs/1",
    ),
    JobRecord(
        id=10,
        run=1,
        attempt=1,
        workflow=".github/workflows/ci.yml",
        name="test (3.14)",
        commit=COMMIT,
        event="push",
        created=MOMENT,
        started=MOMENT,
        completed=LATER,
        conclusion="success",
    ),
    BenchmarkRecord(commit=COMMIT, at=MOMENT, name="parse", unit="s", value=0.25, rounds=30, machine="x86_64"),
    CoverageRecord(commit=COMMIT, at=MOMENT, covered=90, lines=100, branches_covered=8, branches=10),
    TestsRecord(commit=COMMIT, at=MOMENT, suite="unit", passed=10, failed=1, skipped=2, seconds=3.5),
    FindingsRecord(commit=COMMIT, at=MOMENT, tool="ruff", errors=1, warnings=2, notes=3),
    ReleasedRecord(id=5, tag="v1.2.3", at=MOMENT, prerelease=False),
    UpdateRecord(
        number=7,
        title="Bump a from 1 to 2",
        author="dependabot[bot]",
        created=MOMENT,
        closed=LATER,
        merged=LATER,
        ecosystem="uv",
        security=True,
    ),
    FetchedRecord(at=LATER, covered=((MOMENT, LATER),), unfinished=(3,), updates_until=MOMENT),
)
"""One record of each kind."""
