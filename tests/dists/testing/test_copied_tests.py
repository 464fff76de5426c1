"""Tests see the repository without the project's own modules, so that they import those of the wheel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from unmoor.config.groups import SuiteOptions
from unmoor.dists.testing.copied_tests import CopiedTests
from unmoor.dists.testing.suites import Suite
from unmoor.errors import ConfigError
from unmoor.ports.git import Git
from unmoor.products import Release

RELEASE = Release(
    repository="a/b", project="one", tag="v1", version="1", commit="c" * 40, date=1, prerelease=False, highest=True
)
FILES = {
    ".git/HEAD": "ref",
    "src/one/__init__.py": "",
    "src/one/data.json": "{}",
    "src/one/deep/more.py": "",
    "src/one/tests/test_x.py": "from .. import name",
    "src/one/tests/data/x.txt": "x",
    "src/one/conftest.py": "",
    "tests/one/__init__.py": "",
    "tests/test_y.py": "",
    "docs/index.md": "",
    "pytest.ini": "[pytest]",
    "pyproject.toml": "",
}


@dataclass
class OneCommit:
    """A repository with one commit."""

    contents: Mapping[str, str]

    def files(self, _commit: str) -> tuple[str, ...]:
        """Its tracked files."""
        return tuple(path for path in self.contents if not path.startswith(".git/"))

    def texts(self, _commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        """The content of some of them."""
        return {path: self.contents[path] for path in paths}

    def clone(self, into: Path, **_: str) -> Path:
        """Write all of them."""
        for path, text in self.contents.items():
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(text)
        return into


def copied(folder: Path, suite: Suite, **options: Any) -> tuple[set[str], set[str]]:
    """The files in the copy, and those beside the installed package, which has only its modules."""
    installed = folder / "site-packages"
    (installed / "one").mkdir(parents=True)
    (installed / "one" / "__init__.py").write_text("name = 1")
    tests = CopiedTests(
        suite=suite,
        options=SuiteOptions(**options),
        git=cast("Git", OneCommit(FILES)),
        release=RELEASE,
        modules=("one",),
    )
    copy = tests.copy(folder / "project", installed=installed)
    assert not list(folder.glob("clone"))
    assert (installed / "one" / "__init__.py").read_text() == "name = 1"
    return _paths(copy), _paths(installed)


def _paths(folder: Path) -> set[str]:
    """The files below a folder, and its empty folders."""
    return {
        each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file() or not any(each.iterdir())
    }


OWN = {path for path in FILES if path.startswith("src/one/") and path.endswith(".py")}
FOUND = Suite(command="", paths=("tests",))


@pytest.mark.parametrize(
    ("suite", "options", "expected"),
    [
        (FOUND, {}, FILES.keys() - OWN),
        (Suite(command="x"), {}, FILES.keys() - OWN - {"tests/one/__init__.py"}),
        (FOUND, {"modules": "keep"}, FILES.keys()),
        (
            FOUND,
            {"sources": ("docs",)},
            {"docs/index.md", "tests/one/__init__.py", "tests/test_y.py", "pytest.ini", "pyproject.toml"},
        ),
        (Suite(command="x"), {"sources": ("docs/index.md",)}, {"docs/index.md", "pytest.ini", "pyproject.toml"}),
    ],
)
def test_what_tests_see(tmp_path: Path, suite: Suite, options: dict[str, Any], expected: set[str]) -> None:
    """The whole repository without the modules, unless settings name paths or keep them. No folder stays empty."""
    seen, installed = copied(tmp_path, suite, **options)
    assert seen == set(expected)
    assert installed == {"one/__init__.py"}


@pytest.mark.parametrize(
    ("test", "kept"),
    [
        ("run([sys.executable, 'src/one/deep/more.py'])", True),
        ('open("./src/one/__init__.py")', True),
        ("open('src/one/absent.py')", False),
        ("open('tests/one/__init__.py')", False),
        ("# as src/one/deep/more.py does", False),
    ],
)
def test_modules_that_tests_name_as_files(tmp_path: Path, test: str, *, kept: bool) -> None:
    """They stay in the copy if a test names one of them, and are imported from the wheel all the same."""
    tests = CopiedTests(
        suite=FOUND,
        options=SuiteOptions(),
        git=cast("Git", OneCommit({**FILES, "tests/test_y.py": test})),
        release=RELEASE,
        modules=("one",),
    )
    copy = tests.copy(tmp_path / "project", installed=tmp_path)
    assert (tests.keeps_modules, (copy / "src/one/deep/more.py").exists()) == (kept, kept)


def test_tests_within_a_package(tmp_path: Path) -> None:
    """If the wheel lacks them, they are put beside its modules, with their data, and none of them is overwritten."""
    _, installed = copied(tmp_path, Suite(command="", packages=("one",)))
    assert installed == {"one/__init__.py", "one/conftest.py", "one/tests/test_x.py", "one/tests/data/x.txt"}


@pytest.mark.parametrize(
    ("package", "test", "module", "linked"),
    [
        ("one", "open(Path(__file__).parents[2] / 'README.md')", "", {"site-packages/README.md"}),
        ("one", "SUITE = Path(one.__file__).parent.parent.joinpath('cases', 'a')", "", {"site-packages/cases"}),
        ("one", "open(join(HERE, '../../cases/x.txt'))", "", {"site-packages/cases"}),
        ("src/one", "open(HERE.parents[3] / 'README.md')", "", {"README.md"}),
        ("src/ns/one", "['../../../../README.md', '../../../more.txt']", "", {"README.md", "site-packages/more.txt"}),
        ("one", "open('../README.md')", "open(Path(__file__).parent.parent / 'README.md')", set()),
        ("one", "'cases one other.py .git'", "", set()),
        ("one", "'one/tests', 'conftest.py'", "", set()),
        ("one", "run_path(HERE.parents[2] / 'other.py')", "", {"site-packages/other.py"}),
        ("src/one", "'../../../other.py', '../../beside.py'", "", {"other.py"}),
        ("one", "HERE.glob('cases/*')", "'https://example.org/cases/x'", {"site-packages/cases"}),
        ("one", "HERE.glob('cases/*')", "'Long text\\nof/cases/x\\n'", {"site-packages/cases"}),
        ("one", "'https://example.org/README.md'", "", set()),
        ("one", "open('../README.md'", "", set()),
    ],
)
def test_what_tests_within_a_package_read_beside_it(
    tmp_path: Path, package: str, test: str, module: str, linked: set[str]
) -> None:
    """It is linked where it would be in the repository, unless the package reads it too: then the wheel lacks it."""
    name = package.removeprefix("src/")
    contents = {
        f"{package}/__init__.py": module,
        f"{package}/tests/test_x.py": test,
        "src/beside.py": "",
        **dict.fromkeys(("README.md", "cases/x.txt", "src/more.txt", "other.py", "conftest.py", ".git/HEAD"), ""),
    }
    installed = tmp_path / "lib" / "site-packages"
    (installed / name).mkdir(parents=True)
    CopiedTests(
        suite=Suite(command="", packages=(name.replace("/", "."),)),
        options=SuiteOptions(),
        git=cast("Git", OneCommit(contents)),
        release=RELEASE,
        modules=(name.replace("/", "."),),
    ).copy(tmp_path / "project", installed=installed)
    own = {installed, installed / name.partition("/")[0]}
    beside = {each for folder in (installed, installed.parent) for each in folder.iterdir()} - own
    assert {each.relative_to(tmp_path / "lib").as_posix() for each in beside} == linked


def test_absent_source(tmp_path: Path) -> None:
    """A path in test-sources that is not there is an error in the settings."""
    with pytest.raises(ConfigError, match="'absent'"):
        copied(tmp_path, FOUND, sources=("absent",))
