"""The two sides: clone and build each commit, and install the wheels side by side.

Both environments have the same versions of the same packages, except those that the head itself changes. The files of
the benchmarks are the head's on both sides, in a copy without the project's own modules, which come from the wheels.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.artifacts.files import describe_file
from unmoor.config.bench import BenchSettings
from unmoor.config.groups import BuildOptions
from unmoor.dists.building import DistBuilder
from unmoor.dists.inspect import Metadata, modules, read_metadata
from unmoor.dists.testing.copied_tests import source_files
from unmoor.dists.testing.install_test import interpreter_for
from unmoor.errors import BuildFailed, CheckFailed, ConfigError
from unmoor.metrics.compare.report import ChangedDependency
from unmoor.ports.backend import Backend
from unmoor.ports.environments import Environment, Environments, Interpreter
from unmoor.ports.git import Git
from unmoor.products import Dists, Release
from unmoor.project.files import Files
from unmoor.project.test_needs.groups import resolve_group
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import name_of, split_own
from unmoor.util.text import clean
from unmoor.util.values import replace

SideName = Literal["base", "head"]
Say = Callable[[str], None]
_FOLDERS = ("one", "two")


class BuiltSide(msgspec.Struct, frozen=True, kw_only=True):
    """A side whose wheel is built."""

    name: SideName
    commit: str
    wheel: Path
    metadata: Metadata


class BenchNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmarks need in addition to the wheel: requirements, and extras of the project."""

    requires: tuple[str, ...]
    extras: tuple[str, ...] = ()


def needs_of(settings: BenchSettings, files: Files, project: str) -> BenchNeeds:
    """What the settings say that the benchmarks need. Raises `ConfigError` for a file or group that cannot be read."""
    if not settings.requires and not settings.groups:
        return BenchNeeds(requires=("pytest-benchmark",) if settings.command else ())
    listed = read_lines(files, settings.requires)
    if listed.omitted:
        raise ConfigError(
            f"requires leads to {clean(listed.omitted[0])!r}, which cannot be read",
            where="tool.unmoor.bench.requires",
            next_step=advice.CORRECT_BENCHMARKS(),
        )
    requires, extras = split_own(listed.constrained(), project)
    for name in settings.groups:
        try:
            more, own = split_own(resolve_group(files, name), project)
        except ValueError as error:
            raise ConfigError(
                f"groups names {name!r}, which cannot be read: {clean(str(error))}",
                where="tool.unmoor.bench.groups",
                next_step=advice.CORRECT_BENCHMARKS(),
            ) from error
        requires, extras = (*requires, *more), (*extras, *own)
    return BenchNeeds(requires=tuple(dict.fromkeys(requires)), extras=tuple(dict.fromkeys((*listed.extras, *extras))))


@dataclass(frozen=True, kw_only=True)
class SideBuilder:
    """Builds the sides in a folder ``work``. ``release`` is the head in the place of a release."""

    git: Git
    backend: Backend
    environments: Environments
    options: BuildOptions
    work: Path
    release: Release
    say: Say

    def build(self, name: SideName, commit: str) -> BuiltSide:
        """Clone a commit and build its wheel. Raises what a build raises; for the base with another next step."""
        self.say(f"building the {name}, {commit[:12]}")
        builder = DistBuilder(git=self.git, backend=self.backend, environments=self.environments, options=self.options)
        release = replace(self.release, commit=commit, date=self.git.date_of(commit))
        try:
            built = builder.build(self.work / name, release, formats=("wheel",), say=_quiet, warn=self.say)
        except BuildFailed as error:
            if name == "head":
                raise
            raise error.amended(where=f"the base, {commit[:12]}", next_step=advice.COMPARE_WITH_LATER_BASE()) from error
        return BuiltSide(name=name, commit=commit, wheel=built.files[0], metadata=read_metadata(built.files[0]))

    def files(self, base: BuiltSide, head: BuiltSide) -> Path:
        """Copy the files at the head without the modules that the wheels install. Returns the project's folder."""
        copy = self.git.clone(self.work / "files", commit=head.commit, tag="")
        own = tuple(dict.fromkeys((*modules(head.wheel), *modules(base.wheel))))
        for path in source_files(self.git.files(head.commit), own, keep=()):
            (copy / path).unlink(missing_ok=True)
            for folder in (copy / path).parents:
                if folder == copy or any(folder.iterdir()):
                    break
                folder.rmdir()
        return copy


def _quiet(_text: str) -> None:
    """Print nothing: which part of a build runs is of no interest here."""


@dataclass(kw_only=True)
class SideInstaller:
    """Installs the sides in two folders, and again with the folders swapped.

    A folder can make a side faster: by the length of its path, or by where the file system put its files.
    """

    environments: Environments
    base: BuiltSide
    head: BuiltSide
    needs: BenchNeeds
    work: Path
    python: Interpreter

    def install(self, *, swapped: bool = False) -> Mapping[SideName, Environment]:
        """Install both sides. What the folders held before is removed. Raises what an installer raises."""
        folders = dict(zip(("head", "base") if swapped else ("base", "head"), _FOLDERS, strict=True))
        for folder in _FOLDERS:
            for each in (folder, f"{folder}-home"):
                shutil.rmtree(self.work / each, ignore_errors=True)
        head = self._fresh(folders["head"])
        head.install(self._wanted(self.head), constraints=self._pins.get("head", ()))
        self._pins.setdefault("head", pins(head.packages))
        base = self._fresh(folders["base"])
        try:
            base.install(self._wanted(self.base), constraints=self._pins.get("base") or self._of_head())
        except CheckFailed as error:
            raise error.amended(
                where=f"the base, {self.base.commit[:12]}", next_step=advice.COMPARE_WITH_LATER_BASE()
            ) from error
        self._pins.setdefault("base", pins(base.packages))
        return {"base": base, "head": head}

    def __post_init__(self) -> None:
        self._pins: dict[SideName, tuple[str, ...]] = {}

    def changed(self) -> tuple[ChangedDependency, ...]:
        """The packages that the sides have in different versions, after an installation."""
        before, after = (dict(each.split("==", 1) for each in self._pins[name]) for name in ("base", "head"))
        own = canonicalize_name(self.head.metadata.name)
        return tuple(
            ChangedDependency(name=name, base=before.get(name, ""), head=after.get(name, ""))
            for name in sorted({*before, *after} - {own})
            if before.get(name) != after.get(name)
        )

    def _of_head(self) -> tuple[str, ...]:
        """The versions of the head, without the project and the packages whose requirements the head changes."""
        base, head = (set(each.metadata.requires) for each in (self.base, self.head))
        free = {canonicalize_name(name_of(each)) for each in base ^ head}
        free |= {canonicalize_name(self.base.metadata.name), canonicalize_name(self.head.metadata.name)}
        return tuple(each for each in self._pins["head"] if each.split("==", 1)[0] not in free)

    def _wanted(self, side: BuiltSide) -> Sequence[str]:
        path = side.wheel.absolute()
        known = {canonicalize_name(each) for each in side.metadata.extras}
        extras = [each for each in self.needs.extras if side.name == "head" or canonicalize_name(each) in known]
        wheel = f"{side.metadata.name}[{','.join(extras)}] @ {path.as_uri()}" if extras else str(path)
        return (wheel, *self.needs.requires)

    def _fresh(self, folder: str) -> Environment:
        return self.environments.fresh(self.work / folder, python=self.python.path)


def python_for(environments: Environments, head: BuiltSide, wanted: str) -> Interpreter:
    """The interpreter of both sides, which the head supports. Raises `ToolMissing`."""
    return interpreter_for(environments, Dists(files=(describe_file(head.wheel),)), wanted)


def pins(packages: Path) -> tuple[str, ...]:
    """Every installed package with its version, as constraints."""
    found = {canonicalize_name(each.name): each.version for each in distributions(path=[str(packages)]) if each.version}
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))
