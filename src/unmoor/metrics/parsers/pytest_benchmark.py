"""Benchmarks in the JSON of pytest-benchmark. The single rounds, which are most of the file, are skipped."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from unmoor.metrics.parsers.model import Measured, ParsedFigures, moment, short
from unmoor.metrics.records import BenchmarkRecord
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit

_MOST: Final = 20_000


class _Stats(msgspec.Struct, frozen=True, kw_only=True):
    median: float
    rounds: int = 1


class _Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    stats: _Stats
    fullname: str = ""


class _Cpu(msgspec.Struct, frozen=True, kw_only=True):
    brand_raw: str | None = None


class _Machine(msgspec.Struct, frozen=True, kw_only=True):
    system: str | None = None
    machine: str | None = None
    python_implementation: str | None = None
    python_version: str | None = None
    cpu: _Cpu = _Cpu()

    @property
    def text(self) -> str:
        """What makes values comparable: the processor, the system and the Python, and not the name of the machine."""
        version = ".".join((self.python_version or "").split(".")[:2])
        python = " ".join(filter(None, (self.python_implementation, version)))
        return ", ".join(filter(None, (self.cpu.brand_raw or self.machine, self.system, python)))


class _CommitInfo(msgspec.Struct, frozen=True, kw_only=True):
    id: Any = None
    dirty: Any = None


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    benchmarks: tuple[_Benchmark, ...]
    machine_info: _Machine = _Machine()
    commit_info: _CommitInfo = _CommitInfo()
    datetime: str = ""


def parse(data: bytes, measured: Measured) -> ParsedFigures:
    """Read the medians. Raises `ValueError` if the file is none, or has no benchmark."""
    report = decode_json(data, _Report)
    if not 0 < len(report.benchmarks) <= _MOST:
        msg = f"it has {len(report.benchmarks)} benchmarks" if report.benchmarks else "it has no benchmark"
        raise ValueError(msg)
    found = report.commit_info.id if isinstance(report.commit_info.id, str) else ""
    commit = measured.commit_or(found if is_commit(found) else "")
    at, machine = moment(report.datetime, measured.now), short(report.machine_info.text, "")
    records: dict[str, BenchmarkRecord] = {}
    for each in report.benchmarks:
        name, value = short(each.fullname or each.name, "a benchmark without a name"), each.stats.median
        if not (math.isfinite(value) and value >= 0) or each.stats.rounds < 1:
            msg = f"the median of {name} is no time: {value}"
            raise ValueError(msg)
        if name in records:
            msg = f"it has two benchmarks of the name {name}"
            raise ValueError(msg)
        records[name] = BenchmarkRecord(
            commit=commit, at=at, name=name, unit="s", value=value, rounds=each.stats.rounds, machine=machine
        )
    dirty = report.commit_info.dirty is True
    notes = ("it was measured with changes that are not committed",) if dirty else ()
    return ParsedFigures(records=tuple(records.values()), notes=notes)
