"""Measure rounds: one fresh process a side in each, in an order that a coin decides, until the spread is small enough.

A *pass* is a series of rounds with the sides in the same folders. The first one looks for suspects, the second one
decides about them with fresh rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from unmoor.metrics.compare import rule
from unmoor.metrics.compare.sides import SideName
from unmoor.metrics.compare.sources import BenchSource, Values
from unmoor.ports.environments import Environment
from unmoor.ports.measuring import MeasuredProgram, Measuring, ProgramFigures
from unmoor.util.text import count_of, duration, printable

SIDES: Final[tuple[SideName, SideName]] = ("base", "head")
# A series takes about this long: its start takes no part of a round, and the user sees progress.
_SERIES_SECONDS: Final = 5.0
_MOST_PROGRAMS: Final = 1000
_LAST_BYTES: Final = 4000
_LAST_LINES: Final = 8
_LATE: Final = "it did not end in time"


class ProgramFailed(Exception):
    """A program that failed, or gave no figures. The message says which, on which side, and why."""

    def __init__(self, source: BenchSource, side: SideName, why: str) -> None:
        super().__init__(f"on the {side}: {why}")
        self.source = source
        self.side = side


class FirstRun(msgspec.Struct, frozen=True, kw_only=True):
    """The first process of a source on each side, which does not count: values, exit codes, and seconds together."""

    values: Mapping[SideName, Values]
    codes: Mapping[SideName, int]
    seconds: float


@dataclass(kw_only=True)
class Series:
    """The rounds of one source: for each benchmark the values of both sides.

    ``targets`` are the changes that the rounds have to show, for benchmarks whose target is above the threshold.
    """

    source: BenchSource
    values: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    wanted: int = rule.LEAST
    seconds: float = 0.0
    failure: ProgramFailed | None = None

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return max((len(base) for base, _ in self.values.values()), default=0)

    def ratios(self, name: str) -> list[float]:
        """The logarithms of the ratios of one benchmark."""
        return rule.log_ratios(*self.values[name])

    def again(self, names: Iterable[str]) -> Series:
        """An empty series for fresh rounds of some of the benchmarks.

        Half of what these rounds show is enough to look for: fewer rounds do, and they know nothing of the fresh ones.
        """
        return Series(
            source=self.source,
            values={name: ([], []) for name in names},
            targets={name: rule.relative(abs(rule.effect(self.ratios(name))) / 2) for name in names},
            seconds=self.seconds,
        )

    def take(self, values: Mapping[SideName, Values]) -> None:
        """Take one round. Raises `ProgramFailed` if a side lacks a value that it had before."""
        for side in SIDES:
            for name in self.values:
                if values[side].get(name) is None:
                    raise ProgramFailed(self.source, side, f"it gave no figure for {name}, unlike in the first round")
        for name, (base, head) in self.values.items():
            base.append(values["base"][name] or 0.0)
            head.append(values["head"][name] or 0.0)

    @property
    def is_done(self) -> bool:
        """Whether it needs no more rounds."""
        return not self.values or self.failure is not None or self.rounds >= self.wanted


@dataclass(kw_only=True)
class Rounds:
    """Measures. ``work`` is a folder for its files, ``project`` that of the benchmarks; ``clock`` counts seconds."""

    measuring: Measuring
    project: Path
    work: Path
    threshold: float
    chance: Random
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic

    def first(self, source: BenchSource, environments: Mapping[SideName, Environment], *, until: float) -> FirstRun:
        """Run a source once on each side without counting it.

        It fills caches, writes bytecode, and shows which benchmarks there are. Raises `ProgramFailed`.
        """
        values: dict[SideName, Values] = {}
        codes: dict[SideName, int] = {}
        seconds, hidden = 0.0, not source.writes_json
        for side in SIDES:
            program = self._program(source, side, environments, 0)
            (figures,) = self.measuring.measure([program], seconds=max(until - self.clock(), 1.0))
            values[side], codes[side] = self._values(source, side, figures, 0), figures.code
            seconds += figures.wall
            hidden = hidden and figures.hidden
        if hidden:
            values = {side: {**values[side], source.peak: None} for side in SIDES}
        return FirstRun(values=values, codes=codes, seconds=seconds)

    def measure(
        self,
        every: Sequence[Series],
        environments: Mapping[SideName, Environment],
        *,
        until: float,
        what: str,
    ) -> None:
        """Measure rounds of all sources, by turns, until each has enough or the time is over.

        A source that fails gets its ``failure``.
        """
        while open_series := [each for each in every if not each.is_done]:
            left = until - self.clock()
            a_round = sum(each.seconds for each in open_series)
            if left <= a_round:
                return
            count = max(1, min(int(min(_SERIES_SECONDS, left) / a_round) if a_round else 1, 100))
            self._run(self._plan(open_series, count), environments, until)
            for series in open_series:
                if series.rounds >= series.wanted and series.failure is None:
                    series.wanted = self._wanted(series)
            done = min(each.rounds for each in open_series)
            wanted = max(done, *(min(each.wanted, rule.MOST) for each in open_series))
            self.say(f"{what}: {count_of(done, 'round')} of {wanted}, {duration(max(until - self.clock(), 0))} left")

    def _wanted(self, series: Series) -> int:
        """How many rounds a source needs. A spread beyond hope needs none."""
        wanted = [
            rule.rounds_wanted(series.ratios(name), max(self.threshold, series.targets.get(name, 0.0)), self.chance)
            for name in series.values
            if series.targets or not self._is_suspect(series, name)
        ]
        return min(max((each for each in wanted if each <= rule.MOST), default=0), 2 * series.rounds)

    def _is_suspect(self, series: Series, name: str) -> bool:
        """Whether the rounds of a first pass are enough for one benchmark, since fresh ones will decide."""
        ratios = series.ratios(name)
        direction: rule.Direction = 1 if rule.effect(ratios) > 0 else -1
        return rule.is_suspect(ratios, self.threshold, self.chance, direction=direction)

    def _plan(self, every: Sequence[Series], count: int) -> list[tuple[Series, SideName]]:
        plan: list[tuple[Series, SideName]] = []
        for number in range(count):
            for series in every:
                if series.rounds + number < series.wanted and len(plan) < _MOST_PROGRAMS:
                    order = SIDES if self.chance.getrandbits(1) else SIDES[::-1]
                    plan += [(series, side) for side in order]
        return plan

    def _run(
        self, plan: Sequence[tuple[Series, SideName]], environments: Mapping[SideName, Environment], until: float
    ) -> None:
        """Run the programs of a plan, and take their rounds. The first failure is that of its source, and ends it."""
        programs = [
            self._program(series.source, side, environments, number) for number, (series, side) in enumerate(plan)
        ]
        values: dict[SideName, Values] = {}
        seconds = 0.0
        measured = self.measuring.measure(programs, seconds=max(until - self.clock(), 1.0))
        for number, (figures, (series, side)) in enumerate(zip(measured, plan, strict=False)):
            try:
                values[side] = self._values(series.source, side, figures, number)
                seconds += figures.wall
                if len(values) == len(SIDES):
                    series.take(values)
                    series.seconds = seconds
                    values, seconds = {}, 0.0
            except ProgramFailed as failure:
                if not figures.late:  # late is what the time was over for, and says nothing about the program
                    series.failure = failure
                return

    def _program(
        self, source: BenchSource, side: SideName, environments: Mapping[SideName, Environment], number: int
    ) -> MeasuredProgram:
        json = self._json(number)
        json.unlink(missing_ok=True)
        return source.program(
            environments[side],
            project=self.project,
            json=json,
            log=self.work / "output.log",
        )

    def _json(self, number: int) -> Path:
        return self.work / f"benchmarks-{number}.json"

    def _values(self, source: BenchSource, side: SideName, figures: ProgramFigures, number: int) -> Values:
        """The values of a process. Raises `ProgramFailed`."""
        if figures.absent:
            raise ProgramFailed(source, side, f"there is no program {source.words[0]!r}")
        if figures.late:
            raise ProgramFailed(source, side, _LATE)
        json = self._json(number)
        try:
            if figures.code != 0 and not (source.writes_json and json.is_file() and json.stat().st_size):
                raise ProgramFailed(source, side, f"it failed with exit code {figures.code}{self._last_lines()}")
            return source.values(figures, json)
        except ValueError as error:
            raise ProgramFailed(source, side, str(error)) from error
        finally:
            json.unlink(missing_ok=True)

    def _last_lines(self) -> str:
        """The last lines that the program printed, which was the last one."""
        try:
            with (self.work / "output.log").open("rb") as file:
                file.seek(max(file.seek(0, 2) - _LAST_BYTES, 0))
                text = file.read(_LAST_BYTES).decode(errors="replace")
        except OSError:
            return ""
        lines = [printable(line, 200) for line in text.splitlines() if line.strip()][-_LAST_LINES:]
        return "".join(f"\n  {line}" for line in lines)
