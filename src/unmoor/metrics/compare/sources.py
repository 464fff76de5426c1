"""What is measured: the benchmarks of the command, and the commands whose time and memory are measured.

A source is one program, and gives one or more benchmarks. A benchmark has one value a process: the median of what
pytest-benchmark measured in that process, or the program's own time or memory.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from unmoor.config.bench import JSON, BenchSettings
from unmoor.metrics.compare.report import Unit
from unmoor.ports.environments import Environment
from unmoor.ports.measuring import MeasuredProgram, ProgramFigures
from unmoor.project.test_needs.variables import PROJECT
from unmoor.util.decode import decode_json

COMMAND: Final = "command"
"""The name of the source that is the command with benchmarks."""
LARGEST: Final = 200_000_000
"""The bytes of the largest JSON of benchmarks that is read."""

_MOST_NAMES: Final = 10_000
_LONGEST_NAME: Final = 500
# The time of the processor is counted in ticks of several milliseconds on some systems.
_LEAST_CPU: Final = 0.001
# pytest ends so if a test failed; the others have figures.
_SOME_FAILED: Final = 1

Values = Mapping[str, float | None]
"""The values of one process by the name of the benchmark; ``None`` is a value that this system does not say."""


class BenchSource(msgspec.Struct, frozen=True, kw_only=True):
    """One program to measure: its name, its words, and whether it writes the JSON of benchmarks."""

    name: str
    words: tuple[str, ...]
    writes_json: bool = False

    def program(self, environment: Environment, *, project: Path, json: Path, log: Path) -> MeasuredProgram:
        """The program in the environment of a side."""
        words = (word.replace(PROJECT, str(project)).replace(JSON, str(json)) for word in self.words)
        return MeasuredProgram(
            args=tuple(words),
            cwd=project,
            env=environment.active(),
            log=log,
            fine=(0, _SOME_FAILED) if self.writes_json else (0,),
        )

    @property
    def peak(self) -> str:
        """The name of the benchmark that is its peak of memory."""
        return f"{self.name}: peak memory"

    def unit(self, name: str) -> Unit:
        """The unit of one of its benchmarks."""
        return "bytes" if not self.writes_json and name == self.peak else "s"

    def values(self, figures: ProgramFigures, json: Path) -> Values:
        """The values of one process that did not fail. Raises ``ValueError`` if the JSON is missing or wrong."""
        if self.writes_json:
            return read_benchmarks(json)
        return {
            f"{self.name}: time": max(figures.wall, _LEAST_CPU),
            f"{self.name}: CPU": None if figures.cpu is None else max(figures.cpu, _LEAST_CPU),
            self.peak: None if figures.peak is None else float(figures.peak),
        }


def sources_of(settings: BenchSettings) -> tuple[BenchSource, ...]:
    """What the settings say to measure."""
    command = (
        (BenchSource(name=COMMAND, words=tuple(shlex.split(settings.command)), writes_json=True),)
        if settings.command
        else ()
    )
    measured = (BenchSource(name=each.name, words=tuple(shlex.split(each.run))) for each in settings.measure)
    return (*command, *measured)


class _Stats(msgspec.Struct, frozen=True, kw_only=True):
    median: float


class _Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    fullname: str
    stats: _Stats


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    benchmarks: list[_Benchmark]


def read_benchmarks(path: Path) -> dict[str, float]:
    """The medians in the JSON of pytest-benchmark, in seconds, by name. Raises ``ValueError`` with what is wrong.

    The rounds within one process are left out: together they are one sample.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"it wrote no JSON: {error.strerror}") from error
    if len(data) > LARGEST:
        raise ValueError(f"its JSON has more than {LARGEST:,} bytes")
    if not data.strip():
        raise ValueError("its JSON is empty")
    try:
        found = decode_json(data, _Document).benchmarks
    except ValueError as error:
        raise ValueError(f"its JSON is not that of pytest-benchmark: {error}") from error
    values = {each.fullname[:_LONGEST_NAME]: each.stats.median for each in found}
    if len(values) != len(found):
        raise ValueError("its JSON has two benchmarks of one name")
    if len(values) > _MOST_NAMES:
        raise ValueError(f"its JSON has more than {_MOST_NAMES:,} benchmarks")
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"its JSON has the median {value} for {name}")
    return values
