"""Decide which tests run: the configured ones, or else those where the project's files say that they are.

What they need is read where people declare it; see `unmoor.project.test_needs`. If nothing declares it, they run with
pytest only: most suites that need nothing else declare nothing, and a missing package is reported as such.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.config.groups import SuiteOptions
from unmoor.errors import ConfigError
from unmoor.project.files import Files
from unmoor.project.test_needs.choose import Needs, find_needs
from unmoor.project.test_needs.extras import describe
from unmoor.project.test_needs.groups import resolve_group
from unmoor.project.test_needs.locations import likely_modules
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Described, split_own
from unmoor.project.test_needs.variables import PROJECT, Variables
from unmoor.util.text import clean


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """Tests to run: the command, which may contain ``{project}``, and what it requires in addition to the wheel.

    ``paths`` are where the tests were found, and ``packages`` are the project's own that hold tests within; ``why``
    explains how, and ``variables`` are those of the environment that the project sets for them, with ``{project}`` as
    in the command. They are empty if the project configures the command. ``missing`` names packages that the tests
    seem to need and that nothing declares. ``project`` is the name of the project.
    """

    command: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    variables: Variables = ()
    why: str = ""
    missing: tuple[str, ...] = ()
    project: str = ""

    def args(self, project: str) -> list[str]:
        """Split the command, with ``{project}`` replaced by the folder of the copied tests."""
        return [word.replace(PROJECT, project) for word in shlex.split(self.command)]

    def environment(self, project: str) -> dict[str, str]:
        """The variables, with ``{project}`` replaced by the folder of the copied tests."""
        return {name: value.replace(PROJECT, project) for name, value in self.variables}

    def as_setting(self, *add: str) -> str:
        """The one setting that says what these tests need and ``add``, as it is written under ``[tool.unmoor]``."""
        own = [f"{self.project}[{','.join(self.extras)}]"] if self.extras else []
        listed = dict.fromkeys([*own, *self.requires, *add])
        return f"test-requires = [{', '.join(map(_quoted, listed))}]"


class Untested(msgspec.Struct, frozen=True, kw_only=True):
    """No tests run, and the reason."""

    why: str


def choose_suite(
    options: SuiteOptions, metadata: Described, files: Files, *, modules: Sequence[str] = ()
) -> Suite | Untested:
    """Decide which tests run.

    ``files`` are the project's at the commit, ``metadata`` is its wheel's, and ``modules`` are those that the wheel
    installs. Raises `ConfigError` for a configured extra, group or requirements file that does not exist or cannot be
    read.
    """
    if options.mode == "off":
        return Untested(why='turned off by tests = "off"')
    configured = _configured(options, metadata, files)
    if options.command:
        return Suite(
            command=options.command, requires=configured.requires, extras=configured.extras, project=metadata.name
        )
    if options.mode == "configured":
        return Untested(why="no test command is configured")
    needs = find_needs(files, metadata, modules)
    if needs is None:
        return Untested(
            why="no test command is configured, and no tests for pytest were found: no testpaths, no folder such as"
            " tests/ with test_*.py"
        )
    why, requires, extras = needs.why, needs.requires, needs.extras
    if options.requires or options.extras or options.groups:
        why = f"{needs.location.why}; their requirements come from the settings"
        requires, extras = configured.requires, configured.extras
    return Suite(
        command=_command(needs),
        requires=requires,
        extras=extras,
        paths=needs.location.paths,
        packages=needs.location.packages,
        variables=needs.variables,
        why=why,
        missing=needs.missing,
        project=metadata.name,
    )


def describe_suite(options: SuiteOptions, files: Files, *, project: str) -> str:
    """Say which tests would run, with what and why, by the files alone: a build may still add extras and modules.

    Raises `ConfigError` as `choose_suite` does.
    """
    suite = choose_suite(options, describe(files, project), files, modules=likely_modules(files.names))
    if isinstance(suite, Untested):
        return suite.why
    listed = [*suite.requires, *(f"the extra {each}" for each in suite.extras)]
    variables = f"; with {' '.join(f'{name}={value}' for name, value in suite.variables)}" if suite.variables else ""
    why = f"; {suite.why}" if suite.why else ""
    return f"{suite.command}; with {', '.join(listed) or 'nothing else'}{variables}{why}"


def _command(needs: Needs) -> str:
    # "python -m" puts the top of the repository on the path, which many suites import from.
    quote = shlex.quote  # noqa: TID251 - `Suite.args` splits it again, on every system alike
    words = ["python", "-m", "pytest", *map(quote, needs.options)]
    words += [f"{{project}}/{quote(path)}" for path in needs.location.paths]
    if needs.location.packages and "--pyargs" not in words:
        words.append("--pyargs")
    return " ".join([*words, *needs.location.packages])


class _Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say that tests need."""

    requires: tuple[str, ...]
    extras: tuple[str, ...]


def _configured(options: SuiteOptions, metadata: Described, files: Files) -> _Configured:
    """The configured requirements, those of the configured files and groups, and the extras. Raises `ConfigError`."""
    listed = read_lines(files, options.requires)
    if listed.omitted:
        raise ConfigError(
            f"test-requires leads to {clean(listed.omitted[0])!r}, which cannot be read",
            where="tool.unmoor.test-requires",
            next_step=advice.CORRECT_TEST_REQUIRES(),
        )
    requires, extras = split_own(listed.constrained(), metadata.name)
    for name in options.groups:
        try:
            more, own = split_own(resolve_group(files, name), metadata.name)
        except ValueError as error:
            raise ConfigError(
                f"test-groups names {name!r}, which cannot be read: {clean(str(error))}",
                where="pyproject.toml: dependency-groups",
                next_step=advice.CORRECT_TEST_GROUPS(),
            ) from error
        requires, extras = (*requires, *more), (*extras, *own)
    extras = (*options.extras, *listed.extras, *extras)
    _require_known(extras, metadata)
    return _Configured(requires=tuple(dict.fromkeys(requires)), extras=tuple(dict.fromkeys(extras)))


def _require_known(extras: Iterable[str], metadata: Described) -> None:
    """Raise `ConfigError` for an unknown extra: installers ignore it, so the tests would lack what they need."""
    known = {canonicalize_name(extra) for extra in metadata.extras}
    for extra in extras:
        if canonicalize_name(extra) not in known:
            raise ConfigError(
                f"test-extras names {clean(extra)!r}, which is not an extra of the project",
                where="tool.unmoor.test-extras",
                next_step=advice.NAME_AN_EXTRA(known=", ".join(sorted(known)) or "it has none"),
            )


def _quoted(text: str) -> str:
    """A TOML string."""
    return (
        f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
