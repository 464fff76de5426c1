"""Compare what different places declare, and choose: the fullest wins.

An environment in which the project itself runs its tests comes first, if it installs pytest: it says what they need.
Of extras, groups and files the fullest wins: the one that provides most of the modules that the tests import and of
the plugins that they use. Between equally full ones the order of `SourceKind` decides, then the number of packages,
then the order of `SOURCES`. Others with a name for tests are added if they provide modules that tests can do without.

If the tests import more than that, the packages that provide it are added from wherever they are declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from unmoor.project.files import Files
from unmoor.project.test_needs.cibuildwheel import read_cibuildwheel
from unmoor.project.test_needs.extras import read_extras, read_tests_require
from unmoor.project.test_needs.groups import read_groups
from unmoor.project.test_needs.hatch import read_hatch
from unmoor.project.test_needs.imports import Imports, imports_of, plugins_of
from unmoor.project.test_needs.locations import USUAL, Location, TestFiles
from unmoor.project.test_needs.nox import read_nox
from unmoor.project.test_needs.poetry import read_poetry
from unmoor.project.test_needs.requirement_files import read_requirement_files
from unmoor.project.test_needs.source import (
    Described,
    Source,
    SourceKind,
    name_of,
    package_names,
    packages_of,
    packages_of_extra,
    split_own,
)
from unmoor.project.test_needs.style_plugins import checks, extras_without_checks, without_checks
from unmoor.project.test_needs.tox_ini import read_tox_ini
from unmoor.project.test_needs.tox_toml import read_tox_toml
from unmoor.project.test_needs.variables import Variables
from unmoor.util.values import replace

Reader = Callable[[Files], Iterator[Source]]

SOURCES: Final[Mapping[str, Reader | None]] = {
    "`tox.toml`, `[tool.tox]`": read_tox_toml,
    "`tox.ini`, `setup.cfg`, `legacy_tox_ini`": read_tox_ini,
    "`noxfile.py`": read_nox,
    "`hatch.toml`, `[tool.hatch.envs]`": read_hatch,
    "dependency groups (PEP 735), `[tool.pdm.dev-dependencies]`, `[tool.uv] dev-dependencies`": read_groups,
    "extras": None,
    "`[tool.poetry.group.*]`, `[tool.poetry.dev-dependencies]`": read_poetry,
    "`[tool.cibuildwheel]`": read_cibuildwheel,
    "`tests_require` of setuptools": read_tests_require,
    "requirements files": read_requirement_files,
}
"""Where needs are declared, in the order that decides last. Extras come from the project's metadata."""

_MOST_FILES: Final = 2000
_RUNNER: Final = "pytest"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What tests need, and where that is declared.

    ``requires`` are PEP 508, ``extras`` the project's own, ``options`` those of the project's own pytest command.
    ``variables`` are those of the environment that the project sets for its tests. ``missing`` names packages that the
    tests seem to need and that nothing declares. ``omitted`` is what the chosen sources list in a form that cannot be
    read.
    """

    location: Location
    places: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    variables: Variables = ()
    missing: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """How the tests and their needs were found."""
        if not self.places:
            return f"{self.location.why}; nothing declares what they need, so only {_RUNNER} is installed for them"
        return f"{self.location.why}; their requirements come from {' and '.join(self.places)}"


def find_needs(files: Files, project: Described, modules: Sequence[str]) -> Needs | None:
    """Find a project's tests and what they need, ``None`` if there are none.

    ``project`` is its metadata, and ``modules`` are those that its wheel installs. Raises
    `ConfigError` for a malformed ``pyproject.toml`` or ``setup.cfg``.
    """
    sources = read_sources(files, project)
    look = TestFiles(files, tuple(modules))
    called = [source for source in sources if source.call is not None]
    location = look.find(_paths(called[:1]))
    if location is None:
        return None
    imports = _imports(look, location)
    chosen = choose(sources, project, imports)
    caller = [each for each in chosen[:1] if each.call is not None] or called[:1]
    location = look.find(_paths(caller)) or location
    requires, own_extras = split_own([each for source in chosen for each in source.requires], project.name)
    requires = without_checks(requires, imports.plugins)
    extras = [each for source in chosen for each in source.extras] + list(own_extras)
    known = {*package_names(project, project.requires), *_packages(chosen, project)} - checks(imports.plugins)
    if not _has_runner(known):
        requires = (*requires, _RUNNER)
    return Needs(
        location=location,
        places=tuple(source.place for source in chosen),
        requires=tuple(dict.fromkeys(requires)),
        extras=extras_without_checks(tuple(dict.fromkeys(extras)), project, imports.plugins),
        options=next((each.call.options for each in caller if each.call), ()),
        variables=next((each.variables for each in (*caller, *chosen, *sources) if each.variables), ()),
        missing=imports.missing(known),
        omitted=tuple(dict.fromkeys(each for source in chosen for each in source.omitted)),
    )


def read_sources(files: Files, project: Described) -> tuple[Source, ...]:
    """Everything that any place declares, in the order of `SOURCES`."""
    found: list[Source] = []
    for reader in SOURCES.values():
        found += read_extras(project) if reader is None else reader(files)
    return tuple(found)


def choose(sources: Sequence[Source], project: Described, imports: Imports) -> tuple[Source, ...]:
    """The fullest source, and what others add to it. Empty if no source speaks of tests."""
    base = package_names(project, project.requires)
    packages = {id(source): packages_of(source, project) for source in sources}

    def key(source: Source) -> tuple[bool, bool, int, int, int, int]:
        own = packages[id(source)]
        together = base | own
        runs = source.kind is SourceKind.RUN
        optional, size = (0, 0) if runs else (imports.covered_optional(together), len(own))
        return (
            not (runs and _has_runner(own)),
            not _has_runner(own),
            -imports.covered(together),
            source.kind,
            -optional,
            -size,
        )

    fit = [each for each in sources if _speaks_of_tests(each, packages[id(each)])]
    if not fit:
        return ()
    chosen = [min(fit, key=key)]
    held = base | packages[id(chosen[0])]
    if chosen[0].kind is not SourceKind.RUN:
        for source in sources:
            together = held | packages[id(source)]
            if source.kind is SourceKind.TEST and imports.covered_optional(together) > imports.covered_optional(held):
                chosen.append(source)
                held = together
    return (*chosen, *_additions(sources, project, imports, held))


def _additions(
    sources: Sequence[Source], project: Described, imports: Imports, held: frozenset[str] | set[str]
) -> Iterator[Source]:
    """The packages that provide what is still missing, each from the first place that declares it."""
    for source in sorted(sources, key=lambda each: each.kind):
        added = tuple(
            text for text in source.requires if imports.covered({*held, name_of(text)}) > imports.covered(held)
        )
        if added:
            held = {*held, *map(name_of, added)}
            yield replace(source, place=f"{source.place} ({', '.join(map(name_of, added))})", requires=added, extras=())
        for extra in source.extras:
            together = held | packages_of_extra(project, canonicalize_name(extra))
            if imports.covered(together) > imports.covered(held):
                held = together
                yield replace(source, requires=(), extras=(extra,))


def _speaks_of_tests(source: Source, packages: frozenset[str]) -> bool:
    return _has_runner(packages) or source.kind is SourceKind.RUN or (source.kind is SourceKind.TEST and bool(packages))


def _has_runner(packages: frozenset[str] | set[str]) -> bool:
    return any(each == _RUNNER or each.startswith(f"{_RUNNER}-") for each in packages)


def _packages(sources: Sequence[Source], project: Described) -> set[str]:
    return {name for source in sources for name in packages_of(source, project)}


def _paths(sources: Sequence[Source]) -> tuple[str, ...]:
    """The paths with which the first source calls pytest."""
    return next((source.call.paths for source in sources if source.call is not None), ())


def _imports(look: TestFiles, location: Location) -> Imports:
    """What the test files import."""

    def is_test(path: str) -> bool:
        return location.holds(path) or (look.inside(path) in location.packages and bool(look.inside(path)))

    paths = [path for path in look.files.names if path.endswith(".py") and is_test(path)][:_MOST_FILES]
    collected = set(look.tests)
    first = [path for path in paths if path in collected or path.endswith("conftest.py")]
    local = {part.removesuffix(".py") for path in first for part in path.split("/")}
    local |= {path.rpartition("/")[2].removesuffix(".py") for path in paths}
    local |= {path.partition("/")[0].removesuffix(".py") for path in look.files.names}
    for folder in look.configuration.get("pythonpath", "").split():
        below = (path.removeprefix(f"{folder}/") for path in look.files.names if path.startswith(f"{folder}/"))
        local |= {path.partition("/")[0].removesuffix(".py") for path in below}
    local |= {module.partition(".")[0] for module in look.modules}
    # Without the project's own modules within a package: they are installed.
    held = [path for path in paths if location.holds(path) or path in first or _is_beside_tests(path)]
    found = imports_of(look.files.texts(held), first=first, local=local)
    plugins = found.plugins | plugins_of(look.configuration)
    return Imports(needed=found.needed, optional=found.optional, plugins=plugins)


def _is_beside_tests(path: str) -> bool:
    """Whether a folder with a usual name for tests holds a module of a package."""
    return any(part in USUAL for part in path.split("/")[:-1])
