"""Our own JSON: a report of ``unmoor bench compare``, and lines of records."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from unmoor.metrics.compare.report import BenchReport
from unmoor.metrics.parsers.model import Measured, ParsedFigures, short
from unmoor.metrics.records import BenchmarkRecord, CoverageRecord, FindingsRecord, Record, TestsRecord
from unmoor.metrics.store.lines import LONGEST_LINE
from unmoor.util.decode import decode_json

_MOST: Final = 1_000_000
_MEASURED: Final = (BenchmarkRecord, CoverageRecord, TestsRecord, FindingsRecord)


def parse_report(data: bytes, measured: Measured) -> ParsedFigures:
    """Read what the head of a comparison needed. Raises `ValueError` if the file is none, or measured nothing."""
    report = decode_json(data, BenchReport)
    commit = measured.commit_or(report.head.commit)
    machine = short(", ".join(filter(None, (report.machine, report.python))), "")
    records = tuple(
        BenchmarkRecord(
            commit=commit,
            at=report.at.astimezone(UTC).replace(microsecond=0),
            name=short(each.name, "a benchmark without a name"),
            unit=each.unit,
            value=each.head,
            rounds=max(1, each.rounds),
            machine=machine,
        )
        for each in report.benchmarks
        if each.head is not None and each.head >= 0
    )
    if not records:
        msg = "it has no value of the head"
        raise ValueError(msg)
    return ParsedFigures(records=records)


def parse_lines(data: bytes, measured: Measured) -> ParsedFigures:
    """Read a record from each line. Raises `ValueError`, with the number of the line, if one is none or not allowed."""
    records: list[Record] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE or number > _MOST:
                msg = "too long"
                raise ValueError(msg)  # noqa: TRY301 - as any other
            record: Record = decode_json(line, Record)  # type: ignore[arg-type]
            if not (measured.imports or isinstance(record, _MEASURED)):
                msg = f"one of {record.folder} is taken only with --import"
                raise ValueError(msg)  # noqa: TRY301 - as any other
            records.append(record)
        except ValueError as error:
            msg = f"line {number} is no record to keep: {error}"
            raise ValueError(msg) from error
    return ParsedFigures(records=tuple(records), repeats=True)
