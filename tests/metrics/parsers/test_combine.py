"""Figures from several files, of which only one of each thing can be kept."""

from __future__ import annotations

import pytest
from tests.support.metric_records import COMMIT, LATER, MOMENT

from unmoor.metrics.parsers.combine import ParsedFile, combine
from unmoor.metrics.parsers.model import ParsedFigures
from unmoor.metrics.records import CoverageRecord, FindingsRecord, Record, TestsRecord
from unmoor.util.values import replace

COVERAGE = CoverageRecord(commit=COMMIT, at=MOMENT, covered=1, lines=2)
TESTS = TestsRecord(commit=COMMIT, at=MOMENT, suite="unit", passed=1, failed=0, skipped=0, seconds=1)
FINDINGS = FindingsRecord(commit=COMMIT, at=MOMENT, tool="ruff", errors=1, warnings=2, notes=3)


def files(*parts: tuple[Record, ...], repeats: bool = False) -> list[ParsedFile]:
    """Files a, b, … with these records."""
    return [
        ParsedFile(name=name, parsed=ParsedFigures(records=records, repeats=repeats))
        for name, records in zip("abc", parts, strict=False)
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(COVERAGE, covered=2), r"a and b have different coverage of one commit"),
        (replace(TESTS, passed=2), r"a and b have different tests of unit of one commit"),
    ],
    ids=["coverage", "tests"],
)
def test_two_figures_of_one_thing_are_refused(other: Record, message: str) -> None:
    """Which of them to keep cannot be known, unless they were copied from a store, where the later one counts."""
    with pytest.raises(ValueError, match=message):
        combine(files((COVERAGE, TESTS), (other,)))
    assert other in combine(files((COVERAGE, TESTS), (other,), repeats=True))


def test_findings_are_added_up() -> None:
    """Parts of what a tool looked at can be in several files, with the same numbers too."""
    later = replace(FINDINGS, at=LATER, errors=4)
    assert combine(files((FINDINGS,), (FINDINGS,), (later,))) == (replace(later, errors=6, warnings=6, notes=9),)


def test_equal_figures_are_one() -> None:
    """The same content in two files is no contradiction."""
    assert combine(files((COVERAGE, TESTS), (COVERAGE,))) == (COVERAGE, TESTS)
