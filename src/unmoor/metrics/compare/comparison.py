"""Compare two commits: build, install, measure, confirm, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom

from unmoor import advice
from unmoor.config.amounts import seconds_of, share_of
from unmoor.config.bench import BenchSettings
from unmoor.config.groups import BuildOptions
from unmoor.errors import TimedOut
from unmoor.metrics.compare.report import BenchReport, ComparedBenchmark, ComparedSide
from unmoor.metrics.compare.rounds import ProgramFailed, Rounds, Series
from unmoor.metrics.compare.sides import BuiltSide, SideBuilder, SideInstaller, SideName, needs_of, python_for
from unmoor.metrics.compare.sources import BenchSource, sources_of
from unmoor.metrics.compare.verdicts import Judge, Suspect, common_names, confirm, failed, find_suspects, one_sided
from unmoor.ports.backend import Backend
from unmoor.ports.environments import Environment, Environments
from unmoor.ports.git import Git
from unmoor.ports.measuring import Measuring
from unmoor.products import Release
from unmoor.project.files import Files
from unmoor.util.text import count_of, list_some

# With less time left, nothing more is measured.
_LAST_SECONDS = 5.0


@dataclass(kw_only=True)
class BenchComparison:
    """A comparison of ``release``, which is the head in the place of a release, with the commit ``base``.

    ``against`` is what the user named, ``work`` an empty folder outside the repository, ``tool`` our own version.
    """

    settings: BenchSettings
    building: BuildOptions
    git: Git
    backend: Backend
    environments: Environments
    measuring: Measuring
    work: Path
    release: Release
    base: str
    against: str
    tool: str
    say: Callable[[str], None]
    chance: Random = field(default_factory=SystemRandom)
    clock: Callable[[], float] = time.monotonic

    def run(self) -> BenchReport:
        """Compare. Raises what a build and an installer raise, `ConfigError`, and `TimedOut` without a single round."""
        started = self.clock()
        at = datetime.now(UTC).replace(microsecond=0)
        builder = SideBuilder(
            git=self.git,
            backend=self.backend.under(self.building.constraints),
            environments=self.environments.under(self.building.constraints),
            options=self.building,
            work=self.work,
            release=self.release,
            say=self.say,
        )
        needs = needs_of(self.settings, Files.at(self.git, self.release.commit), self.release.project)
        base, head = builder.build("base", self.base), builder.build("head", self.release.commit)
        python = python_for(self.environments, head, self.building.python)
        installer = SideInstaller(
            environments=self.environments, base=base, head=head, needs=needs, work=self.work, python=python
        )
        self.say(f"installing both side by side with Python {python.version}")
        installed = installer.install()
        changed = installer.changed()
        for each in changed:
            self.say(f"the head changes {each.name}: {each.base or 'absent'} to {each.head or 'absent'}")
        benchmarks = self._measure(builder.files(base, head), installer, installed)
        return BenchReport(
            tool=self.tool,
            at=at,
            against=self.against,
            base=_side(base),
            head=_side(head),
            threshold=share_of(self.settings.threshold),
            seconds=round(self.clock() - started, 1),
            machine=self.measuring.describe(),
            python=python.version,
            dependencies=changed,
            benchmarks=benchmarks,
        )

    def _measure(
        self, project: Path, installer: SideInstaller, installed: Mapping[SideName, Environment]
    ) -> tuple[ComparedBenchmark, ...]:
        """Measure until the verdicts are made or the time is over."""
        threshold, longest = share_of(self.settings.threshold), seconds_of(self.settings.max_time)
        until = self.clock() + longest
        rounds = Rounds(
            measuring=self.measuring,
            project=project,
            work=self.work,
            threshold=threshold,
            chance=self.chance,
            say=self.say,
            clock=self.clock,
        )
        rows: list[ComparedBenchmark] = []
        every: list[Series] = []
        for source in sources_of(self.settings):
            self.say(f"trying {source.name} on both sides")
            every += self._open(rounds, source, installed, until, rows)
        suspects = self._first_pass(rounds, every, installed, until)
        if every and not any(each.rounds or each.failure for each in every if each.values):
            raise TimedOut(
                f"no program ran on both sides within {self.settings.max_time}",
                next_step=advice.ALLOW_BENCH_MORE_TIME(),
                retryable=False,
            )
        fresh = self._confirm(rounds, every, suspects, installer, until)
        judge = Judge(
            threshold=threshold,
            chance=self.chance,
            suspects={(each.source, each.name): each for each in suspects},
            fresh=fresh,
            confirmed=confirm(suspects, fresh, threshold, self.chance),
        )
        return (*(row for series in every for row in judge.rows(series)), *rows)

    def _first_pass(
        self, rounds: Rounds, every: list[Series], installed: Mapping[SideName, Environment], until: float
    ) -> tuple[Suspect, ...]:
        """Measure until every spread is small enough, or there are suspects, who get the other half of the time."""
        while True:
            left = until - self.clock()
            rounds.measure(every, installed, until=until - left / 2, what="measuring")
            suspects = find_suspects(every, rounds.threshold, self.chance)
            if suspects or all(each.is_done for each in every) or left < _LAST_SECONDS:
                return suspects

    def _open(
        self,
        rounds: Rounds,
        source: BenchSource,
        installed: Mapping[SideName, Environment],
        until: float,
        rows: list[ComparedBenchmark],
    ) -> list[Series]:
        """Try a source: its series, or none. What needs no rounds is added to ``rows``."""
        try:
            first = rounds.first(source, installed, until=until)
        except ProgramFailed as failure:
            rows.append(failed(source, failure))
            return []
        rows += one_sided(source, first)
        values: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in common_names(first)}
        return [Series(source=source, values=values, seconds=first.seconds)] if values else []

    def _confirm(
        self,
        rounds: Rounds,
        every: list[Series],
        suspects: tuple[Suspect, ...],
        installer: SideInstaller,
        until: float,
    ) -> Mapping[str, Series]:
        """Measure fresh rounds of the suspects, with each side in the folder of the other one."""
        if not suspects:
            return {}
        self.say(
            f"{count_of(len(suspects), 'suspect')}: {list_some([each.name for each in suspects], 5)};"
            " measuring again with the folders swapped"
        )
        swapped = installer.install(swapped=True)
        fresh = []
        for series in every:
            names = [each.name for each in suspects if each.source == series.source.name]
            if names:
                fresh.append(series.again(names))
        for series in fresh:
            try:
                rounds.first(series.source, swapped, until=until)
            except ProgramFailed as failure:
                series.failure = failure
        rounds.measure(fresh, swapped, until=until, what="confirming")
        return {each.source.name: each for each in fresh}


def _side(side: BuiltSide) -> ComparedSide:
    return ComparedSide(commit=side.commit, version=side.metadata.version)
