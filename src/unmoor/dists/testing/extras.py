"""Test entry points that need an extra, each in a separate environment that has it installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from unmoor.dists import inspect
from unmoor.dists.testing.probe import REBUILD, entry_point_label, probe
from unmoor.dists.testing.suites import packages_of_extra
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment
from unmoor.products import File, Result, Verdict
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint

InstallWithExtras = Callable[[tuple[str, ...]], Environment]
"""Creates an environment with a file and these extras installed. Raises `CheckFailed` if they cannot be installed."""


@dataclass(frozen=True, kw_only=True)
class DistUnderTest:
    """A file to test, with the metadata, modules, entry points and requirements of the project's wheel."""

    file: File
    metadata: inspect.Metadata
    modules: tuple[str, ...] = ()
    points: tuple[EntryPoint, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that the project declares."""
        return self.metadata.extras

    @property
    def own(self) -> frozenset[str]:
        """The top-level names of the project's modules."""
        return frozenset(name.partition(".")[0] for name in self.modules)


@dataclass(frozen=True, kw_only=True)
class NeedsExtra:
    """An entry point that fails to load without extras. ``missing`` is the module of another project that it lacks."""

    point: EntryPoint
    missing: str


def load_with_extras(
    dist: DistUnderTest, needing: Iterable[NeedsExtra], folder: Path, install: InstallWithExtras | None
) -> tuple[Result, ...]:
    """Load each entry point with the extras that it names, or else with one that installs the missing package.

    Entry points that need the same extras share an environment. Raises `CheckFailed` if one does not load even then.
    """
    groups: dict[tuple[str, ...], list[NeedsExtra]] = {}
    for each in needing:
        groups.setdefault(_extras_for(dist, each), []).append(each)
    results: list[Result] = []
    for number, (extras, group) in enumerate(groups.items()):
        if not extras or install is None:
            results += [_not_loaded(dist, each) for each in group]
            continue
        subfolder = folder / f"extra-{number}"
        subfolder.mkdir()
        results += _load_group(dist, extras, group, subfolder, install)
    return tuple(results)


def _load_group(
    dist: DistUnderTest, extras: tuple[str, ...], group: list[NeedsExtra], folder: Path, install: InstallWithExtras
) -> list[Result]:
    names = ", ".join(map(clean, extras))
    try:
        environment = install(extras)
    except CheckFailed as error:
        why = f"needs the extra {names}, which cannot be installed here: {clean(str(error), 300)}"
        return [_result(dist, each, Verdict.NOT_TESTED, why) for each in group]
    answers = probe(environment, dist.file.name, (), [each.point for each in group], folder)
    results, failures = [], []
    for each, answer in zip(group, answers.points, strict=True):
        if not answer.error:
            results.append(_result(dist, each, Verdict.PASSED, f"loads with the extra {names}"))
        elif not each.point.extras and answer.missing and answer.missing not in dist.own:
            results.append(_not_loaded(dist, NeedsExtra(point=each.point, missing=answer.missing)))
        else:
            failures.append(f"the entry point {answer.name} does not load, even with the extra {names}: {answer.error}")
    if failures:
        raise CheckFailed(f"{dist.file.name}, installed: " + "; ".join(failures), next_step=REBUILD)
    return results


def _extras_for(dist: DistUnderTest, each: NeedsExtra) -> tuple[str, ...]:
    """The extras that an entry point names, or else the first one with a package named like the missing module."""
    if each.point.extras:
        return tuple(each.point.extras)
    missing = canonicalize_name(each.missing)
    return next(((extra,) for extra in dist.extras if missing in packages_of_extra(dist.metadata, extra)), ())


def _not_loaded(dist: DistUnderTest, each: NeedsExtra) -> Result:
    needs = f"the extra {', '.join(each.point.extras)}" if each.point.extras else each.missing
    return not_tested(dist, entry_point_label(each.point), needs)


def _result(dist: DistUnderTest, each: NeedsExtra, verdict: Verdict, detail: str) -> Result:
    return Result(name=f"{dist.file.name}: {entry_point_label(each.point)}", verdict=verdict, detail=detail)


def not_tested(dist: DistUnderTest, name: str, needs: str) -> Result:
    """Report that something was not tested because it needs what a plain install does not include."""
    detail = f"needs {clean(needs)}, which a plain install does not include"
    return Result(name=f"{dist.file.name}: {name}", verdict=Verdict.NOT_TESTED, detail=detail)
