"""What a project promises only together with an extra: tried in an environment of its own that has the extra."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from unmoor.dists import inspect
from unmoor.dists.testing.probe import REBUILD, in_words, probe
from unmoor.dists.testing.suites import brought_by
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.products import File, Result, Verdict
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and a run that only reads does not need it
    from importlib.metadata import EntryPoint

Again = Callable[[tuple[str, ...]], Environment]
"""Makes a fresh environment that has a file with these extras. Raises `CheckFailed` where it cannot be installed."""


@dataclass(frozen=True, kw_only=True)
class DistUnderTest:
    """A file to prove, and what the project's wheel says of itself."""

    file: File
    metadata: inspect.Metadata
    modules: tuple[str, ...] = ()
    points: tuple[EntryPoint, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that it has."""
        return self.metadata.extras

    @property
    def own(self) -> frozenset[str]:
        """The top-level names that are the project's own."""
        return frozenset(name.partition(".")[0] for name in self.modules)


@dataclass(frozen=True, kw_only=True)
class NeedsExtra:
    """An entry point that a plain install does not load; ``missing`` is the foreign module that was missing."""

    point: EntryPoint
    missing: str


def with_extras(
    what: DistUnderTest, needing: Iterable[NeedsExtra], folder: Path, again: Again | None
) -> tuple[Result, ...]:
    """Try each entry point with the extra that it names, or else with the one that brings what was missing.

    One environment serves all that need the same extras. Raises `CheckFailed` where one does not load even so.
    """
    waiting: dict[tuple[str, ...], list[NeedsExtra]] = {}
    for each in needing:
        waiting.setdefault(_extras(what, each), []).append(each)
    results: list[Result] = []
    for number, (extras, group) in enumerate(waiting.items()):
        if not extras or again is None:
            results += [_plain(what, each) for each in group]
            continue
        aside = folder / f"extra-{number}"
        aside.mkdir()
        results += _tried(what, extras, group, aside, again)
    return tuple(results)


def _tried(
    what: DistUnderTest, extras: tuple[str, ...], group: list[NeedsExtra], folder: Path, again: Again
) -> list[Result]:
    words = ", ".join(map(clean, extras))
    try:
        environment = again(extras)
    except CheckFailed as error:
        why = f"needs the extra {words}, which cannot be installed here: {clean(str(error), 300)}"
        return [_result(what, each, Verdict.NOT_TESTED, why) for each in group]
    answers = probe(environment, what.file.name, (), [each.point for each in group], folder)
    results, wrong = [], []
    for each, answer in zip(group, answers.points, strict=True):
        if not answer.error:
            results.append(_result(what, each, Verdict.PASSED, f"loads with the extra {words}"))
        elif not each.point.extras and answer.missing and answer.missing not in what.own:
            results.append(_plain(what, NeedsExtra(point=each.point, missing=answer.missing)))
        else:
            wrong.append(f"the entry point {answer.name} does not load, even with the extra {words}: {answer.error}")
    if wrong:
        raise CheckFailed(f"{what.file.name}, installed: " + "; ".join(wrong), next_step=REBUILD)
    return results


def _extras(what: DistUnderTest, each: NeedsExtra) -> tuple[str, ...]:
    """The extras that an entry point names, else the first that brings a package called like what was missing."""
    if each.point.extras:
        return tuple(each.point.extras)
    missing = canonicalize_name(each.missing)
    return next(((extra,) for extra in what.extras if missing in brought_by(what.metadata, extra)), ())


def _plain(what: DistUnderTest, each: NeedsExtra) -> Result:
    needs = f"the extra {', '.join(each.point.extras)}" if each.point.extras else each.missing
    return untested_for(what, in_words(each.point), needs)


def _result(what: DistUnderTest, each: NeedsExtra, verdict: Verdict, detail: str) -> Result:
    return Result(name=f"{what.file.name}: {in_words(each.point)}", verdict=verdict, detail=detail)


def untested_for(what: DistUnderTest, name: str, needs: str) -> Result:
    """Say that something needs what a plain install does not bring."""
    detail = f"needs {clean(needs)}, which a plain install does not bring"
    return Result(name=f"{what.file.name}: {name}", verdict=Verdict.NOT_TESTED, detail=detail)
