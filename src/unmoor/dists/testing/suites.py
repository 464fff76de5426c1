"""Find a project's tests: the configured ones, or else those where pytest looks for them.

Tests that are not configured run only if the project declares what they need. A guess would test something
other than what the project's authors test.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.config.groups import SuiteOptions
from unmoor.dists.inspect import Metadata
from unmoor.errors import ConfigError
from unmoor.util.decode import decode_toml, read_ini
from unmoor.util.text import clean

Read = Callable[[str], bytes | None]

# Usual names of extras and dependency groups for tests, the most specific first.
_NAMES = (("test", "tests", "testing"), ("dev",))
_FOLDERS = ("tests", "test")
_TEST = re.compile(r"(test_[^/]*|[^/]*_test)\.py")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Tests to run: the command, which may contain ``{project}``, and what it requires in addition to the wheel.

    ``folder`` is where the tests were found and ``why`` explains how. Both are empty if the project configures them.
    """

    command: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    folder: str = ""
    why: str = ""

    def args(self, project: str) -> list[str]:
        """Split the command, with ``{project}`` replaced by the folder of the copied tests."""
        return [word.replace("{project}", project) for word in shlex.split(self.command)]


@dataclass(frozen=True, kw_only=True)
class Untested:
    """No tests run, and the reason."""

    why: str


def choose_suite(
    options: SuiteOptions, metadata: Metadata, *, files: Callable[[], Sequence[str]], read: Read
) -> Suite | Untested:
    """Decide which tests run.

    ``files`` lists the project's files at the commit and ``read`` reads one. ``metadata`` is its wheel's. Raises
    `ConfigError` for a configured extra or dependency group that does not exist or cannot be read.
    """
    if options.mode == "off":
        return Untested(why='turned off by tests = "off"')
    _require_known(options.extras, metadata)
    if options.command:
        return Suite(command=options.command, requires=_configured_requirements(options, read), extras=options.extras)
    if options.mode == "configured":
        return Untested(why="no test command is configured")
    folder = _find_folder(files(), read)
    if folder is None:
        return Untested(why="no test command is configured, and no tests for pytest are in tests/ or test/")
    found = f"{folder}/ contains tests for pytest"
    if options.requires or options.extras or options.groups:
        needs = Suite(
            command="", requires=_configured_requirements(options, read), extras=options.extras, why="the settings"
        )
    else:
        suite = _suite_by_convention(metadata, read)
        if suite is None:
            return Untested(
                why=f"{found}, but nothing declares what they need: list it in test-requires,"
                " or in an extra or a dependency group called test that includes pytest"
            )
        needs = suite
    return Suite(
        # "python -m" puts the top of the repository on the path, which many suites import from.
        command=f"python -m pytest {{project}}/{folder}",
        requires=needs.requires,
        extras=needs.extras,
        folder=folder,
        why=f"{found}; their requirements come from {needs.why}",
    )


def source_files(files: Iterable[str], modules: Sequence[str], *, folder: str) -> tuple[str, ...]:
    """The files of a repository that a wheel's modules could be imported from. Tests must not see them.

    ``files`` are the repository's. The files in ``folder``, which holds the tests, are left out.
    """
    wanted = [re.escape(module.replace(".", "/")) for module in modules]
    if not wanted:
        return ()
    form = re.compile(rf"(?:.*/)?(?:{'|'.join(wanted)})(?:/.*)?\.(?:py|so|pyd)")
    return tuple(path for path in files if form.fullmatch(path) and not path.startswith(f"{folder}/"))


def _require_known(extras: Iterable[str], metadata: Metadata) -> None:
    """Raise `ConfigError` for an unknown extra: installers ignore it, so the tests would lack what they need."""
    known = {canonicalize_name(extra) for extra in metadata.extras}
    for extra in extras:
        if canonicalize_name(extra) not in known:
            raise ConfigError(
                f"test-extras names {clean(extra)!r}, which is not an extra of the project",
                where="tool.unmoor.test-extras",
                next_step=advice.NAME_AN_EXTRA(known=", ".join(sorted(known)) or "it has none"),
            )


def _configured_requirements(options: SuiteOptions, read: Read) -> tuple[str, ...]:
    """The configured requirements and those of the configured groups. Raises `ConfigError`."""
    requires = list(options.requires)
    for name in options.groups:
        try:
            requires += _resolve_group(_groups(read), name)
        except ValueError as error:
            raise ConfigError(
                f"test-groups names {name!r}, which cannot be read: {clean(str(error))}",
                where="pyproject.toml: dependency-groups",
                next_step=advice.CORRECT_TEST_GROUPS(),
            ) from error
    return tuple(requires)


def _find_folder(files: Sequence[str], read: Read) -> str | None:
    """The folder whose tests pytest would find, by its file names or because pytest is configured."""
    for folder in _FOLDERS:
        names = [path for path in files if path.startswith(f"{folder}/") and path.endswith(".py")]
        if any(_TEST.fullmatch(path.rpartition("/")[2]) for path in names):
            return folder
        if names and _is_configured(files, read):
            return folder
    return None


def _is_configured(files: Sequence[str], read: Read) -> bool:
    if {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"}.intersection(files):
        return True
    if isinstance(_pyproject(read).get("tool"), Mapping) and "pytest" in _pyproject(read)["tool"]:
        return True
    return any(
        _has_section(read(path), section) for path, section in (("setup.cfg", "tool:pytest"), ("tox.ini", "pytest"))
    )


def _has_section(content: bytes | None, section: str) -> bool:
    parser = configparser.RawConfigParser(strict=False)
    try:
        read_ini(parser, (content or b"").decode(errors="replace"))
    except configparser.Error:
        return False
    return parser.has_section(section)


def _suite_by_convention(metadata: Metadata, read: Read) -> Suite | None:
    """Requirements from the first extra or dependency group with a usual name that includes pytest."""
    extras = {canonicalize_name(extra): extra for extra in metadata.extras}
    groups = _groups(read)
    named = {canonicalize_name(group): group for group in groups}
    for names in _NAMES:
        for name in map(canonicalize_name, names):
            if name in extras and "pytest" in packages_of_extra(metadata, name):
                return Suite(command="", extras=(extras[name],), why=f"the extra {extras[name]}")
        for name in map(canonicalize_name, names):
            try:
                requires = _resolve_group(groups, named[name]) if name in named else ()
            except ValueError:
                continue  # the programs that use the group report it
            if "pytest" in _package_names(metadata, requires):
                return Suite(command="", requires=requires, why=f"the dependency group {named[name]}")
    return None


def _resolve_group(groups: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The requirements of a group and of the groups it includes. Raises ``ValueError``."""
    try:
        return resolve_dependency_groups(groups, name)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    except ExceptionGroup as error:
        raise ValueError("; ".join(map(str, error.exceptions))) from error


def packages_of_extra(metadata: Metadata, extra: str) -> frozenset[str]:
    """The names of the packages that an extra adds directly, and through other extras of the project."""
    return frozenset(_package_names(metadata, metadata.requires, extra=extra, seen={extra}))


def _package_names(
    metadata: Metadata, requires: Sequence[str], *, extra: str = "", seen: set[str] | None = None
) -> set[str]:
    seen = set() if seen is None else seen
    found: set[str] = set()
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue  # the installer reports it
        marker = wanted.marker
        # For an extra, count only the packages that it adds.
        if marker is not None and not marker.evaluate({"extra": extra}):
            continue
        if extra and (marker is None or marker.evaluate({"extra": ""})):
            continue
        name = canonicalize_name(wanted.name)
        found.add(name)
        if name == canonicalize_name(metadata.name):
            for more in map(canonicalize_name, wanted.extras):
                if more not in seen:
                    seen.add(more)
                    found |= _package_names(metadata, metadata.requires, extra=more, seen=seen)
    return found


def _pyproject(read: Read) -> Mapping[str, Any]:
    try:
        return decode_toml(read("pyproject.toml") or b"")
    except ValueError:
        return {}  # the build reports it, with more detail


def _groups(read: Read) -> Mapping[str, Any]:
    groups = _pyproject(read).get("dependency-groups", {})
    return groups if isinstance(groups, Mapping) else {}
