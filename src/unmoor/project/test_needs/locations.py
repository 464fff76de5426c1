"""Where a project's tests are: where its own command or pytest's configuration says, or else in the usual places."""

from __future__ import annotations

import configparser
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from typing import Any, Final

import msgspec

from unmoor.errors import ConfigError
from unmoor.project.files import Files, table
from unmoor.project.test_needs.source import SourceKind, kind_of
from unmoor.util.decode import read_ini
from unmoor.util.text import list_some

USUAL: Final = ("tests", "test", "testing")
"""The folders that usually hold tests."""
_PATTERNS: Final = ("test_*.py", "*_test.py")
_PLAIN: Final = ("test.py", "tests.py")
_HAS_TESTS: Final = re.compile(r"^\s*(?:async )?def test|^class \w+\(.*\bTestCase\b", re.MULTILINE)
_TOML: Final = ("pytest.toml", ".pytest.toml")
_INI: Final = ("pytest.ini", ".pytest.ini")
CONFIGURATION: Final = (*_TOML, *_INI, "pyproject.toml", "tox.ini", "setup.cfg")
"""The files that may configure pytest, in the order in which it looks for them."""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """Where tests are: ``paths`` of the repository, and ``packages`` of the project that hold tests within.

    ``why`` says how they were found.
    """

    paths: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    why: str

    def holds(self, path: str) -> bool:
        """Whether a file belongs to the tests."""
        return any(path == each or path.startswith(f"{each}/") for each in self.paths)


def likely_modules(paths: Collection[str]) -> tuple[str, ...]:
    """The packages that a project probably installs, by its files: those at the top or in one folder below it.

    >>> likely_modules(["src/one/__init__.py", "src/one/two/__init__.py", "tests/__init__.py", "docs/x/__init__.py"])
    ('one',)
    """
    form = re.compile(r"(?:(?!tests?/|testing/|docs?/|examples?/)[^/]+/)?(?P<name>[^/]+)/__init__\.py")
    packages = {path.removesuffix("__init__.py") for path in paths if path.endswith("/__init__.py")}
    found = (form.fullmatch(path) for path in paths)
    names = {
        each["name"]
        for each in found
        if each is not None
        and not any(each[0].startswith(outer) and each[0] != f"{outer}__init__.py" for outer in packages)
    }
    return tuple(sorted(names - {*USUAL, "docs", "doc", "examples", "benchmarks"}))


def is_test_name(name: str) -> bool:
    """Whether pytest collects tests from a file with such a name, unless it is configured."""
    return any(fnmatch(name, each) for each in _PATTERNS)


@dataclass(frozen=True)
class TestFiles:
    """A project's files as pytest would look at them. ``modules`` are those that its wheel installs."""

    __test__ = False  # pytest collects classes with such a name

    files: Files
    modules: tuple[str, ...] = ()

    def find(self, arguments: Sequence[str] = ()) -> Location | None:
        """Find the tests. ``arguments`` are paths with which the project itself calls pytest."""
        called = self._existing(arguments)
        if called and (found := self._located(called, f"the project's own command names {_listed(called)}")):
            return found
        configured = self._existing(_words(self.configuration.get("testpaths", "")))
        if configured and (found := self._located(configured, f"testpaths names {_listed(configured)}")):
            return found
        return self._usual()

    @cached_property
    def configuration(self) -> Mapping[str, str]:
        """The options of pytest in the first file that configures it; lists are joined by blanks."""
        return next((each for each in self._configurations() if each is not None), {})

    @property
    def is_configured(self) -> bool:
        """Whether a file configures pytest, perhaps without any option."""
        return any(each is not None for each in self._configurations())

    def inside(self, path: str) -> str:
        """The own top-level package that a path is in, as a dotted name; empty for any other path."""
        found = self._own.match(f"{path}/")
        return found["module"].replace("/", ".") if found is not None else ""

    @cached_property
    def _own(self) -> re.Pattern[str]:
        forms = "|".join(re.escape(each.replace(".", "/")) for each in sorted(self.modules, key=len, reverse=True))
        return re.compile(rf"(?:(?!tests?/|testing/|docs?/|examples?/)[^/]+/)?(?P<module>{forms or '(?!)'})/")

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """Every file that pytest would collect tests from, by its name."""
        patterns = _words(self.configuration.get("python_files", "")) or list(_PATTERNS)
        return tuple(
            path
            for path in self.files.names
            if path.endswith(".py") and any(fnmatch(path.rpartition("/")[2], each) for each in patterns)
        )

    def _existing(self, paths: Iterable[str]) -> list[str]:
        """The paths that exist, with wild cards expanded."""
        folders = _folders(self.files.names)
        known = {*self.files.names, *folders}
        found: list[str] = []
        for path in paths:
            plain = path.partition("::")[0].removeprefix("./").rstrip("/")
            if plain in {"", "."}:
                continue
            if plain in known:
                found.append(plain)
            elif any(each in plain for each in "*?["):
                found += sorted(each for each in folders if fnmatch(each, plain))
        return list(dict.fromkeys(found))

    def _located(self, paths: Sequence[str], why: str) -> Location | None:
        outside = tuple(path for path in paths if not self.inside(path))
        held = [path for path in self.tests if any(path == each or path.startswith(f"{each}/") for each in paths)]
        outside = tuple(path for path in outside if self._has_python(path))
        packages = dict.fromkeys(self.inside(path) for path in held if self.inside(path))
        if not outside and not packages:
            return None
        return Location(paths=outside, packages=tuple(packages), why=why)

    def _usual(self) -> Location | None:
        tested = {folder for path in self.tests for folder in [path.partition("/")[0]] if "/" in path}
        for folder in USUAL:
            if folder in tested or (self.is_configured and self._has_python(folder)):
                return Location(paths=(folder,), why=f"{folder}/ contains tests for pytest")
        outside = sorted(each for each in tested if not self.inside(each) and kind_of(each) is SourceKind.TEST)
        if outside:
            return Location(paths=tuple(outside), why=f"{_listed(outside)} contains tests for pytest")
        top = [path for path in self.tests if "/" not in path]
        if top:
            return Location(paths=tuple(top), why=f"{_listed(top)} at the top")
        packages = dict.fromkeys(self.inside(path) for path in self.tests if self.inside(path))
        if packages:
            return Location(
                packages=tuple(packages), why=f"the package {', '.join(packages)} contains tests for pytest"
            )
        return self._by_plain_name()

    def _by_plain_name(self) -> Location | None:
        """A module called ``test.py`` or ``tests.py`` that has tests: pytest collects it only by its path."""
        named = [f"{folder}{name}" for folder in ("", *(f"{each}/" for each in USUAL)) for name in _PLAIN]
        texts = self.files.texts([path for path in named if path in self.files.names])
        found = [path for path, text in texts.items() if _HAS_TESTS.search(text)]
        return Location(paths=tuple(found), why=f"{_listed(found)} contains tests") if found else None

    def _has_python(self, path: str) -> bool:
        return path.endswith(".py") or any(
            each.startswith(f"{path}/") and each.endswith(".py") for each in self.files.names
        )

    def _configurations(self) -> list[Mapping[str, str] | None]:
        found: list[Mapping[str, str] | None] = []
        found += [_flat(table(self._toml(path), "pytest")) for path in _TOML if path in self.files.names]
        found += [self._section(path, "pytest", empty=True) for path in _INI]
        tool = table(self.files.pyproject, "tool", "pytest")
        if tool or "pytest" in table(self.files.pyproject, "tool"):
            found.append(_flat({**tool, **table(tool, "ini_options")}))
        found += [self._section("tox.ini", "pytest"), self._section("setup.cfg", "tool:pytest")]
        return found

    def _toml(self, path: str) -> Mapping[str, Any]:
        try:
            return self.files.toml(path)
        except ConfigError:
            return {}  # pytest reports it

    def _section(self, path: str, section: str, *, empty: bool = False) -> Mapping[str, str] | None:
        content = self.files.read(path)
        parser = configparser.RawConfigParser(strict=False)
        try:
            read_ini(parser, (content or b"").decode(errors="replace"))
        except configparser.Error:
            return None  # pytest reports it
        if parser.has_section(section):
            return dict(parser.items(section))
        return {} if empty and content is not None else None


def _flat(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as texts."""
    return {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in options.items()
        if not isinstance(value, Mapping)
    }


def _folders(paths: Collection[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        while "/" in path:
            path = path.rpartition("/")[0]  # noqa: PLW2901
            if path in found:
                break
            found.add(path)
    return found


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split() if "[" not in text else text.split()


def _listed(paths: Sequence[str]) -> str:
    return list_some(list(paths), 3)
