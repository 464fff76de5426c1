"""Reports of compared benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime

from unmoor.metrics.compare.report import BenchReport, ChangedDependency, ComparedBenchmark, ComparedSide

SAME = ComparedBenchmark(
    name="bench.py::test_same", unit="s", verdict="same", base=0.1, head=0.1, change=0.0, rounds=30
)
SLOWER = ComparedBenchmark(
    name="bench.py::test_slow", unit="s", verdict="slower", base=0.1, head=0.112, change=0.12, p=0.0004, rounds=60
)


def bench_report(*benchmarks: ComparedBenchmark, **changes: str) -> BenchReport:
    """A report on some benchmarks; by default one is slower, and one is the same."""
    return BenchReport(
        tool=changes.get("tool", "unmoor 1.0"),
        at=datetime(2026, 6, 1, tzinfo=UTC),
        against=changes.get("against", "main"),
        base=ComparedSide(commit="a" * 40, version="1.0"),
        head=ComparedSide(commit="b" * 40, version="1.1"),
        threshold=0.05,
        seconds=90.0,
        machine=changes.get("machine", "2 CPUs, Linux"),
        python="3.13.1",
        dependencies=(ChangedDependency(name="attrs", base="24.1", head="25.1"),),
        benchmarks=benchmarks or (SAME, SLOWER),
    )
