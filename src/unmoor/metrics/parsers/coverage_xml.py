"""Coverage in Cobertura's XML, as coverage.py writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from unmoor.checks.coverage_report import read_report
from unmoor.metrics.parsers.model import Measured, ParsedFigures
from unmoor.metrics.records import CoverageRecord


def parse(path: Path, measured: Measured) -> ParsedFigures:
    """Read the sums of a report. Raises `ValueError` if it is none, `OSError`."""
    report = read_report(path)
    if not report.lines:
        msg = "it measured no line"
        raise ValueError(msg)
    at = datetime.fromtimestamp(int(report.written), UTC) if 0 < report.written < measured.now.timestamp() else None
    record = CoverageRecord(
        commit=measured.commit_or(""),
        at=at or measured.now,
        covered=report.covered_lines,
        lines=report.lines,
        branches_covered=report.covered_branches if report.branches else None,
        branches=report.branches or None,
    )
    return ParsedFigures(records=(record,))
