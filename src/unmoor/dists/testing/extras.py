"""Test what a plain install does not import in environments with the project's extras.

An extra that names the missing module is tried first, then the other extras in turn, then all at once. Every
environment serves all modules and entry points that still need one, so there is at most one for each extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from unmoor.config.groups import ImportOptions
from unmoor.dists.testing.judgement import (
    Fault,
    NeedsExtra,
    missing_here,
    passed,
    untested,
    without,
)
from unmoor.dists.testing.parts import DistUnderTest, Part
from unmoor.dists.testing.probe import ProbeResult, probe
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.products import Result
from unmoor.project.test_needs.source import packages_of_extra
from unmoor.util.text import clean, list_some

InstallWithExtras = Callable[[tuple[str, ...], Path], Environment]
"""Creates an environment in a new folder, with a file and these extras. Raises `CheckFailed` if that is impossible."""

# An extra costs an environment, and some install gigabytes.
_MOST_TRIED: Final = 6
# Extras for people who work on the project: that one of them installs a module does not make it optional for users.
_DEVELOPMENT: Final = frozenset(
    """
    all-dev bench benchmark benchmarks build check checks ci contrib contributing cov coverage dev develop development
    doc docs documentation format formatting lint linters linting maintainer mypy nox pre-commit publish qa quality
    release style test testing tests tox type typecheck types typing
    """.split()  # noqa: SIM905 - forty quoted names are harder to read
)


@dataclass(kw_only=True)
class ExtraTrials:
    """Environments with extras of a file, for parts that a plain install does not import.

    ``folder`` is empty and outside the repository. ``say`` reports what was found while it is found.
    """

    what: DistUnderTest
    folder: Path
    install: InstallWithExtras
    options: ImportOptions
    say: Callable[[str], None]
    results: list[Result] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _installed: dict[tuple[str, ...], Environment | CheckFailed] = field(default_factory=dict)
    _probes: int = 0

    def run(self, needing: Iterable[NeedsExtra]) -> None:
        """Test every part, and add to ``results`` and ``faults``."""
        given: dict[tuple[str, ...], list[NeedsExtra]] = {}
        free: list[NeedsExtra] = []
        for each in needing:
            given.setdefault(each.extras, []).append(each) if each.extras else free.append(each)
        for extras, group in given.items():
            self._test_given(extras, group)
        if free:
            self._test_free(free)

    def _test_given(self, extras: tuple[str, ...], group: Sequence[NeedsExtra]) -> None:
        """Test parts with the extras that they name, or that the settings assign."""
        answers = self._probe(extras, [each.part for each in group])
        for at, each in enumerate(group):
            if isinstance(answers, CheckFailed):
                self.results.append(untested(self.what, each.part, _not_installable(extras, answers)))
            else:
                self._judge_given(each.part, extras, answers[at])

    def _judge_given(self, part: Part, extras: tuple[str, ...], answer: ProbeResult) -> None:
        if not answer.error:
            self._found(part, extras)
        elif not self.what.is_own(answer.missing) and (needs := missing_here(self.what, answer)):
            self.results.append(untested(self.what, part, f"not tested on this platform: it needs {needs}"))
        else:
            what = f"{part.fails}, even with the extra {_named(extras)}: {answer.error}"
            missing = "" if self.what.is_own(answer.missing) else answer.missing
            self.faults.append(Fault(part=part, what=what, missing=missing))

    def _test_free(self, needing: Sequence[NeedsExtra]) -> None:
        """Try extras in turn until every part is imported or no extra is left."""
        left = list(needing)
        refused: list[tuple[str, ...]] = []
        tried: list[tuple[str, ...]] = []
        for extras in self._order(needing):
            may = [each for each in left if self._counts(extras, each)]
            if not may:
                continue
            answers = self._probe(extras, [each.part for each in may])
            if isinstance(answers, CheckFailed):
                refused.append(extras)
                continue
            tried.append(extras)
            for each, answer in zip(may, answers, strict=True):
                if not answer.error:
                    self._found(each.part, extras)
                    left.remove(each)
        for each in left:
            self._give_up(each, tried, refused)

    def _order(self, needing: Iterable[NeedsExtra]) -> tuple[tuple[str, ...], ...]:
        """The extras to try, in this order: each one alone, and all that count together."""
        declared = self.what.extras
        sizes = {extra: len(packages_of_extra(self.what.metadata, extra)) for extra in declared}
        naming = {extra for extra in declared for each in needing if self.what.names(extra, each.missing)}
        configured = {canonicalize_name(extra) for extra in self.options.tried_first}
        groups = (
            sorted(naming, key=lambda extra: (_is_development(extra), sizes[extra])),
            [extra for extra in declared if canonicalize_name(extra) in configured],
            [extra for extra in declared if not _is_development(extra)],
        )
        single = list(dict.fromkeys(extra for group in groups for extra in group))[:_MOST_TRIED]
        usable = tuple(extra for extra in declared if self._is_usable(extra))
        return tuple(dict.fromkeys([*((extra,) for extra in single), *([usable] if usable else [])]))

    def _counts(self, extras: tuple[str, ...], each: NeedsExtra) -> bool:
        """Whether extras may excuse a part. One for development may only bring the program that loads a plug-in."""
        return all(
            self._is_usable(extra) or (each.part.is_plugin and self.what.names(extra, each.missing)) for extra in extras
        )

    def _is_usable(self, extra: str) -> bool:
        configured = {canonicalize_name(each) for each in self.options.tried_first}
        return not _is_development(extra) or canonicalize_name(extra) in configured

    def _give_up(self, each: NeedsExtra, tried: Sequence[tuple[str, ...]], refused: Sequence[tuple[str, ...]]) -> None:
        """Judge a part that no extra helps: what cannot be installed may have helped, so it is unknown."""
        likely = [extras for extras in refused if any(self.what.names(extra, each.missing) for extra in extras)]
        names = [_named(extras) for extras in tried]
        if likely:
            error = self._installed[likely[0]]
            self.results.append(untested(self.what, each.part, _not_installable(likely[0], error)))
        elif refused:
            more = f"; the extra {_named(refused[0])} cannot be installed here"
            self.results.append(untested(self.what, each.part, without(each.missing) + more))
        elif each.part.is_plugin and each.missing:
            self.results.append(untested(self.what, each.part, without(each.missing)))
        else:
            also = f", nor with the extra {list_some(names)}" if names else ""
            what = f"{each.part.fails} in a plain install{also}: {each.answer.error}"
            self.faults.append(Fault(part=each.part, what=what, missing=each.missing))

    def _found(self, part: Part, extras: tuple[str, ...]) -> None:
        detail = f"{part.loads} with the extra {_named(extras)}"
        self.results.append(passed(self.what, part, detail))
        self.say(f"{self.what.file.name}: {part.name} {detail}")

    def _probe(self, extras: tuple[str, ...], parts: Sequence[Part]) -> Sequence[ProbeResult] | CheckFailed:
        """Import parts where the extras are installed. Returns the error if they cannot be installed."""
        self._probes += 1
        folder = self.folder / f"extra-{self._probes}"
        folder.mkdir()
        if extras not in self._installed:
            try:
                self._installed[extras] = self.install(extras, folder / "environment")
            except CheckFailed as error:
                self._installed[extras] = error
        environment = self._installed[extras]
        if isinstance(environment, CheckFailed):
            return environment
        modules = [part.module for part in parts if part.point is None]
        points = [part.point for part in parts if part.point is not None]
        found = probe(environment, self.what.file.name, modules, points, folder)
        of_modules, of_points = iter(found.modules), iter(found.points)
        return [next(of_modules if part.point is None else of_points) for part in parts]


def _is_development(extra: str) -> bool:
    return canonicalize_name(extra) in _DEVELOPMENT


def _named(extras: Sequence[str]) -> str:
    return ", ".join(map(clean, extras))


def _not_installable(extras: Sequence[str], error: object) -> str:
    return f"needs the extra {_named(extras)}, which cannot be installed here: {clean(str(error), 300)}"
