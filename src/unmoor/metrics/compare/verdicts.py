"""Make the verdict of each benchmark from its rounds: those of the first pass, and fresh ones of suspects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from statistics import median
from typing import Final, TypeGuard

import msgspec

from unmoor.metrics.compare import rule
from unmoor.metrics.compare.report import ComparedBenchmark, Verdict
from unmoor.metrics.compare.rounds import FirstRun, ProgramFailed, Series
from unmoor.metrics.compare.rule import Direction
from unmoor.metrics.compare.sources import BenchSource

VERDICTS: Final[Mapping[Direction, Verdict]] = {1: "slower", -1: "faster"}
_LONGEST: Final = 1800


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark that fresh rounds decide about: its source, its name, and what is suspected."""

    source: str
    name: str
    direction: Direction


def failed(source: BenchSource, failure: ProgramFailed) -> ComparedBenchmark:
    """The row of a source that gives no figures."""
    return ComparedBenchmark(name=source.name, unit="s", verdict="failed", why=str(failure)[:_LONGEST])


def common_names(first: FirstRun) -> tuple[str, ...]:
    """The benchmarks that both sides have figures of, in the order of the head."""
    base = first.values["base"]
    return tuple(
        name for name, value in first.values["head"].items() if value is not None and base.get(name) is not None
    )


def one_sided(source: BenchSource, first: FirstRun) -> Iterator[ComparedBenchmark]:
    """The rows of benchmarks that only one side has figures of, or none."""
    base, head = first.values["base"], first.values["head"]
    broken = False
    for name in dict.fromkeys((*head, *base)):
        unit = source.unit(name)
        if name not in base:
            why = "it fails on the base" if first.codes["base"] else ""
            yield ComparedBenchmark(name=name, unit=unit, verdict="new", head=head[name], why=why)
        elif name not in head and first.codes["head"]:
            broken = True
            yield ComparedBenchmark(name=name, unit=unit, verdict="failed", base=base[name], why="it fails on the head")
        elif name not in head:
            yield ComparedBenchmark(name=name, unit=unit, verdict="gone", base=base[name])
        elif base[name] is None or head[name] is None:
            why = "unknown: it is not more than a process without any program, or this system does not say it"
            yield ComparedBenchmark(name=name, unit=unit, verdict="noise", base=base[name], head=head[name], why=why)
    if first.codes["head"] and not broken:
        why = f"on the head: the command ends with exit code {first.codes['head']}, as if a benchmark failed"
        yield ComparedBenchmark(name=source.name, unit="s", verdict="failed", why=why)
    elif not head and not base and source.writes_json:
        yield ComparedBenchmark(name=source.name, unit="s", verdict="failed", why="there are no benchmarks in its JSON")


def find_suspects(every: Iterable[Series], threshold: float, chance: Random) -> tuple[Suspect, ...]:
    """The benchmarks that the first pass suspects, those that may be slower first."""
    measured = [each for each in every if each.failure is None and each.rounds >= rule.LEAST]
    directions: tuple[Direction, ...] = (1, -1)
    return tuple(
        Suspect(source=series.source.name, name=name, direction=direction)
        for direction in directions
        for series in measured
        for name in series.values
        if rule.is_suspect(series.ratios(name), threshold, chance, direction=direction)
    )


def confirm(
    suspects: Iterable[Suspect], fresh: Mapping[str, Series], threshold: float, chance: Random
) -> Mapping[Suspect, float]:
    """The suspects that their fresh rounds confirm, decided together, with the p of each."""
    found: dict[Suspect, float] = {}
    listed = [each for each in suspects if _has_enough(fresh.get(each.source))]
    for direction in VERDICTS:
        ratios = {each: fresh[each.source].ratios(each.name) for each in listed if each.direction == direction}
        found |= rule.confirmed(ratios, threshold, chance, direction=direction)
    return found


def _has_enough(series: Series | None) -> TypeGuard[Series]:
    return series is not None and series.failure is None and series.rounds >= rule.LEAST


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """Makes the rows. ``fresh`` are the series of the second pass by source, without those that have no suspect.

    ``suspects`` are by source and name, and ``confirmed`` those that the fresh rounds confirm, with p.
    """

    threshold: float
    chance: Random
    suspects: Mapping[tuple[str, str], Suspect]
    fresh: Mapping[str, Series]
    confirmed: Mapping[Suspect, float]

    def rows(self, series: Series) -> Iterator[ComparedBenchmark]:
        """The row of each benchmark of a source."""
        again = self.fresh.get(series.source.name)
        failure = series.failure or (again.failure if again is not None else None)
        if failure is not None:
            yield failed(series.source, failure)
            return
        for name in series.values:
            suspect = self.suspects.get((series.source.name, name))
            yield self._unsuspected(series, name) if suspect is None else self._decided(series, suspect)

    def _unsuspected(self, series: Series, name: str) -> ComparedBenchmark:
        if series.rounds < rule.LEAST:
            return _too_few(series, name)
        ratios = series.ratios(name)
        enough = rule.rounds_wanted(ratios, self.threshold, self.chance) <= series.rounds * _TOLERANCE
        return self._row(series, name, ratios, "same" if enough else "noise")

    def _decided(self, series: Series, suspect: Suspect) -> ComparedBenchmark:
        name, again = suspect.name, self.fresh.get(suspect.source)
        word = VERDICTS[suspect.direction]
        if not _has_enough(again):
            why = f"it seems {word}, but the time was over before fresh rounds could decide"
            return self._row(series, name, series.ratios(name), "noise", why=why)
        ratios = again.ratios(name)
        if suspect in self.confirmed:
            return self._row(series, name, ratios, word, fresh=again, p=self.confirmed[suspect])
        why = f"it seemed {word}, and fresh rounds in swapped folders did not confirm it"
        is_small = suspect.direction * rule.effect(ratios) < math.log1p(self.threshold)
        enough = rule.rounds_wanted(ratios, self.threshold, self.chance) <= again.rounds * _TOLERANCE
        return self._row(series, name, ratios, "same" if is_small and enough else "noise", fresh=again, why=why)

    def _row(
        self,
        series: Series,
        name: str,
        ratios: list[float],
        verdict: Verdict,
        *,
        fresh: Series | None = None,
        p: float | None = None,
        why: str = "",
    ) -> ComparedBenchmark:
        base, head = series.values[name]
        more_base, more_head = fresh.values[name] if fresh is not None else ([], [])
        found = rule.effect(ratios)
        if p is None:
            p = rule.p_value(ratios, self.chance, direction=1 if found >= 0 else -1)
        return ComparedBenchmark(
            name=name,
            unit=series.source.unit(name),
            verdict=verdict,
            base=median((*base, *more_base)),
            head=median((*head, *more_head)),
            change=rule.relative(found),
            p=p,
            rounds=len(base) + len(more_base),
            fresh=len(more_base),
            shows=rule.smallest(ratios, self.threshold, self.chance),
            why=why,
        )


_TOLERANCE: Final = 1.25
"""By how much the rounds wanted may exceed those there are: each look at the spread differs a little."""


def _too_few(series: Series, name: str) -> ComparedBenchmark:
    base, head = series.values[name]
    why = f"the time was over after {series.rounds} rounds, and a decision needs {rule.LEAST}"
    return ComparedBenchmark(
        name=name,
        unit=series.source.unit(name),
        verdict="noise",
        base=median(base) if base else None,
        head=median(head) if head else None,
        rounds=series.rounds,
        why=why,
    )
