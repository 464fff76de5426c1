"""The report of a comparison is written and read again, and anything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unmoor.errors import Refused
from unmoor.metrics.compare.report import (
    BenchReport,
    ChangedDependency,
    ComparedBenchmark,
    ComparedSide,
    Verdict,
    decode_report,
    encode_report,
)


def report_of(*verdicts: Verdict) -> BenchReport:
    """A report with one benchmark of each verdict."""
    return BenchReport(
        tool="1.0",
        at=datetime(2026, 11, 29, tzinfo=UTC),
        against="main",
        base=ComparedSide(commit="a" * 40, version="1.0"),
        head=ComparedSide(commit="b" * 40, version="1.1"),
        threshold=0.05,
        seconds=61.5,
        machine="2 processors",
        python="3.11.7",
        dependencies=(ChangedDependency(name="attrs", base="25.1", head=""),),
        benchmarks=tuple(ComparedBenchmark(name=f"{each} one", unit="s", verdict=each, base=1.0) for each in verdicts),
    )


def test_a_written_report_is_read_again() -> None:
    """What is read is equal to what was written."""
    report = report_of("same", "slower", "noise")
    data = encode_report(report)
    assert data.endswith(b"\n}\n")
    assert decode_report(data, where="REPORT.json") == report


@pytest.mark.parametrize(
    ("verdict", "fails"),
    [(each, each in {"slower", "failed"}) for each in ("slower", "faster", "same", "noise", "new", "gone", "failed")],
)
def test_only_slower_and_failed_fail(verdict: Verdict, *, fails: bool) -> None:
    """Every other verdict passes."""
    assert report_of("same", verdict).fails is fails


def test_what_matters_comes_first() -> None:
    """The benchmarks are sorted by verdict, those that fail first."""
    report = report_of("same", "noise", "failed", "slower", "same")
    assert [each.verdict for each in report.sorted] == ["slower", "failed", "noise", "same", "same"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(encode_report(report_of()).replace(b'"format": 1', b'"format": 2'), id="later"),
        pytest.param(encode_report(report_of()).replace(b"a" * 40, b"--output=/x"), id="commit"),
        pytest.param(b" " * 10_000_001, id="large"),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """The error names the file and the command that writes one."""
    with pytest.raises(Refused, match="no report of unmoor bench compare") as caught:
        decode_report(data, where="REPORT.json")
    assert caught.value.where == "REPORT.json"
    assert "unmoor bench compare --report" in caught.value.next_step
