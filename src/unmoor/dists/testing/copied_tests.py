"""Copy what a test suite sees: the repository without the project's own modules, so that tests import the wheel's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.config.groups import SuiteOptions
from unmoor.dists.testing.beside import read_beside
from unmoor.dists.testing.suites import Suite
from unmoor.errors import ConfigError
from unmoor.filesystem.files import link_or_copy
from unmoor.ports.git import Git
from unmoor.products import Release
from unmoor.project.test_needs.locations import CONFIGURATION, USUAL, is_test_name

# Added to test-sources: without them, pytest behaves in another way.
_ALWAYS = ("conftest.py", *CONFIGURATION)
# A module as a file, in quotation marks.
_NAMED = re.compile(r"[\"'](?:\./)?([\w./-]+\.py)[\"']")
_MOST_TESTS = 2000


class CopiedTests(msgspec.Struct, frozen=True, kw_only=True):
    """What to copy for a suite: the repository of ``git`` at the commit of ``release``.

    ``modules`` are those that the wheel installs.
    """

    suite: Suite
    options: SuiteOptions
    git: Git
    release: Release
    modules: Sequence[str]

    def copy(self, into: Path, *, installed: Path) -> Path:
        """Copy the files into a folder that does not exist yet. Returns the project's folder in the copy.

        Tests within a package of the project that its wheel leaves out are put beside the installed package, below
        the folder ``installed``: only there do their relative imports find the installed modules. What they alone read
        beside the package is linked there; see `unmoor.dists.testing.beside`. Raises `ConfigError` if the repository
        lacks one of the paths in test-sources.
        """
        if self.options.sources:
            return self._copy_named(into, installed)
        copy = self.git.clone(into, commit=self.release.commit, tag=self.release.tag)
        self._install_tests(copy, installed)
        self._link_beside(copy, installed)
        if not self.keeps_modules:
            for path in source_files(self._files, self.modules, keep=self.suite.paths):
                _remove(copy / path, below=copy)
        return copy

    @property
    def keeps_modules(self) -> bool:
        """Whether the copy has the project's own modules, which are then imported from the wheel all the same.

        It does if the settings say so, or if a test names one of them as a file: ``[sys.executable, "one/main.py"]``.
        """
        return not self.options.sources and (self.options.modules == "keep" or self._names_modules())

    def _names_modules(self) -> bool:
        sources = set(source_files(self._files, self.modules, keep=self.suite.paths))
        tests = [path for path in self._files if path.endswith(".py") and _is_below(path, self.suite.paths)]
        texts = self.git.texts(self.release.commit, tests[:_MOST_TESTS]) if sources and tests else {}
        return any(not sources.isdisjoint(_NAMED.findall(text)) for text in texts.values())

    @property
    def _files(self) -> tuple[str, ...]:
        return self.git.files(self.release.commit)

    def _copy_named(self, into: Path, installed: Path) -> Path:
        """Copy the named files, the tests that were found, and pytest's configuration from a temporary clone."""
        temporary = into.with_name("clone")
        clone = self.git.clone(temporary, commit=self.release.commit, tag=self.release.tag)
        self._install_tests(clone, installed)
        into.mkdir()
        named = self.options.sources
        for name in dict.fromkeys((*named, *self.suite.paths, *_ALWAYS)):
            source = clone / name
            if not source.resolve().is_relative_to(clone.resolve()) or not source.exists():
                if name in named:
                    raise ConfigError(
                        f"test-sources names {name!r}, which is not in the repository at {self.release.commit[:12]}",
                        next_step=advice.CORRECT_TEST_SOURCES(),
                    )
                continue
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, into / name, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(source, into / name)
        shutil.rmtree(temporary, ignore_errors=True)
        return into

    def _install_tests(self, clone: Path, installed: Path) -> None:
        for path, target in tests_within(self._files, self.suite.packages):
            goal = installed / target
            if (clone / path).is_file() and not goal.exists():
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(clone / path, goal)

    def _link_beside(self, copy: Path, installed: Path) -> None:
        for package in self.suite.packages:
            within = dict(tests_within(self._files, (package,)))
            inner = package.replace(".", "/")
            for folder in {path.removesuffix(target) + inner for path, target in within.items()}:
                for each in read_beside(copy, self._files, folder, within):
                    goal = (installed / inner).parents[each.up] / Path(each.path).name
                    if not goal.exists():
                        link_or_copy(copy / each.path, goal)


def _remove(path: Path, *, below: Path) -> None:
    """Remove a file, and the folders that are empty without it: Python would import them as namespace packages."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == below or any(folder.iterdir()):
            break
        folder.rmdir()


def source_files(files: Iterable[str], modules: Sequence[str], *, keep: Sequence[str]) -> tuple[str, ...]:
    """The files of a repository from which a wheel's modules, or their types, could come. Tests must not see them.

    ``files`` are the repository's. Those in the paths ``keep``, which hold the tests, are left out.
    """
    wanted = [re.escape(module.replace(".", "/")) for module in modules]
    if not wanted:
        return ()
    # Without the stubs too: a type checker that a test runs would take them for the package.
    form = re.compile(rf"(?:.*/)?(?:{'|'.join(wanted)})(?:(?:/.*)?\.(?:pyi?|so|pyd)|/(?:.*/)?py\.typed)")
    return tuple(path for path in files if form.fullmatch(path) and not _is_below(path, keep))


def _is_below(path: str, places: Sequence[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in places)


def tests_within(files: Iterable[str], packages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The files of tests within packages, each with its path below the folder of installed packages.

    >>> list(tests_within(["src/p/a.py", "src/p/conftest.py", "src/p/tests/x.txt", "src/p/test_a.py"], ["p"]))
    [('src/p/conftest.py', 'p/conftest.py'), ('src/p/tests/x.txt', 'p/tests/x.txt'), ('src/p/test_a.py', 'p/test_a.py')]
    """
    if not packages:
        return
    names = "|".join(re.escape(each.replace(".", "/")) for each in packages)
    form = re.compile(rf"(?:[^/]+/)?(?P<target>(?:{names})/(?P<rest>.+))")
    for path in files:
        found = form.fullmatch(path)
        if found is not None:
            *folders, name = found["rest"].split("/")
            if set(USUAL).intersection(folders) or name == "conftest.py" or is_test_name(name):
                yield path, found["target"]
