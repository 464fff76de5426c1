"""Tests are found where pytest would find them, and run only if the project declares what they need."""

from __future__ import annotations

import pytest

from unmoor.config.groups import SuiteOptions
from unmoor.dists.inspect import Metadata
from unmoor.dists.testing.suites import (
    Suite,
    Untested,
    choose_suite,
    packages_of_extra,
    source_files,
)
from unmoor.errors import ConfigError

PLAIN = Metadata(name="Small.One", version="1.0")
EXTRA = Metadata(
    name="Small.One",
    version="1.0",
    requires=("idna", "pytest>=8; extra == 'test'", "small-one[test]; extra == 'dev'"),
    extras=("dev", "test"),
)
ONLY_DEV = Metadata(
    name="small-one", version="1.0", requires=("pytest; extra == 'dev'", "ruff; extra == 'dev'"), extras=("dev",)
)
GROUPS = b'[dependency-groups]\ntest = [{include-group = "base"}, "idna"]\nbase = ["pytest>=8"]\nlint = ["ruff"]\n'
CYCLE = b'[dependency-groups]\ntest = [{include-group = "test"}]\n'
TEST = "tests/unit/test_x.py"


def chosen(metadata: Metadata, files: dict[str, bytes], **options: object) -> Suite | Untested:
    """The decision for a project with these files."""
    return choose_suite(SuiteOptions(**options), metadata, files=lambda: tuple(files), read=files.get)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metadata", "files", "expected", "words"),
    [
        (EXTRA, {TEST: b""}, ("tests", (), ("test",)), "the extra test"),
        (EXTRA, {"test/x_test.py": b""}, ("test", (), ("test",)), "test/ contains"),
        (ONLY_DEV, {TEST: b""}, ("tests", (), ("dev",)), "the extra dev"),
        (
            PLAIN,
            {TEST: b"", "pyproject.toml": GROUPS},
            ("tests", ("pytest>=8", "idna"), ()),
            "group test",
        ),
        (ONLY_DEV, {TEST: b"", "pyproject.toml": GROUPS}, ("tests", ("pytest>=8", "idna"), ()), "group"),
        (EXTRA, {"tests/check.py": b"", "pytest.ini": b""}, ("tests", (), ("test",)), "tests/"),
        (EXTRA, {"tests/check.py": b"", "tox.ini": b"[pytest]\n"}, ("tests", (), ("test",)), "tests/"),
        (EXTRA, {"tests/a.py": b"", "setup.cfg": b"[tool:pytest]\n"}, ("tests", (), ("test",)), ""),
        (
            EXTRA,
            {"tests/a.py": b"", "pyproject.toml": b"[tool.pytest.ini_options]\n"},
            ("tests", (), ("test",)),
            "",
        ),
    ],
)
def test_found(
    metadata: Metadata,
    files: dict[str, bytes],
    expected: tuple[str, tuple[str, ...], tuple[str, ...]],
    words: str,
) -> None:
    """Folder, command and requirements follow from the usual names, with test before dev."""
    suite = chosen(metadata, files)
    assert isinstance(suite, Suite)
    assert (suite.command.removeprefix("python -m pytest {project}/"), suite.requires, suite.extras) == expected
    assert words in suite.why


@pytest.mark.parametrize(
    ("metadata", "files", "options", "words"),
    [
        (EXTRA, {TEST: b""}, {"mode": "off"}, "turned off"),
        (EXTRA, {TEST: b""}, {"mode": "off", "command": "pytest"}, "turned off"),
        (EXTRA, {TEST: b""}, {"mode": "configured"}, "no test command"),
        (EXTRA, {"tests/data.txt": b"", "pytest.ini": b""}, {}, "no tests for pytest"),
        (EXTRA, {"src/pkg/tests/test_x.py": b""}, {}, "no tests for pytest"),
        (EXTRA, {"tests/check.py": b""}, {}, "no tests for pytest"),
        (PLAIN, {TEST: b""}, {}, "nothing declares what they need"),
        (PLAIN, {TEST: b"", "pyproject.toml": CYCLE}, {}, "nothing declares what they need"),
        (PLAIN, {TEST: b"", "pyproject.toml": b"not TOML"}, {}, "nothing declares what they need"),
        (PLAIN, {TEST: b"", "pyproject.toml": b"dependency-groups = 3"}, {}, "nothing declares what they need"),
    ],
)
def test_not_run(metadata: Metadata, files: dict[str, bytes], options: dict[str, object], words: str) -> None:
    """If the requirements are unknown, or tests are turned off, nothing runs, and the reason is given."""
    suite = chosen(metadata, files, **options)
    assert isinstance(suite, Untested)
    assert words in suite.why


def test_settings_come_first() -> None:
    """A configured command runs unchanged, with groups resolved. Requirements alone apply to the tests found."""
    files = {TEST: b"", "pyproject.toml": GROUPS}
    suite = chosen(EXTRA, files, command="python -m unittest", groups=("lint",), requires=("x",))
    assert suite == Suite(command="python -m unittest", requires=("x", "ruff"))
    suite = chosen(EXTRA, files, requires=("pytest",))
    assert isinstance(suite, Suite)
    assert (suite.command, suite.requires, suite.extras) == ("python -m pytest {project}/tests", ("pytest",), ())
    assert Suite(command="pytest '{project}/a b'").args("/x") == ["pytest", "/x/a b"]


@pytest.mark.parametrize("group", ["absent", "test"])
def test_invalid_group(group: str) -> None:
    """A configured group that does not exist or includes itself is an error in the settings."""
    with pytest.raises(ConfigError, match=f"'{group}'"):
        chosen(PLAIN, {"pyproject.toml": CYCLE}, command="x", groups=(group,))


def test_unknown_extra() -> None:
    """An unknown extra is refused: installers ignore it, and the tests would lack what they need."""
    assert isinstance(chosen(EXTRA, {}, command="x", extras=("Test",)), Suite)
    with pytest.raises(ConfigError, match="'tset', which is not an extra") as caught:
        chosen(EXTRA, {}, command="x", extras=("tset",))
    assert caught.value.next_step == "name one of its extras: dev, test"


def test_packages_of_extra() -> None:
    """Only packages that the extra adds count, including those of other extras of the project."""
    assert packages_of_extra(EXTRA, "test") == {"pytest"}
    assert packages_of_extra(EXTRA, "dev") == {"pytest", "small-one"}


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (("p",), ["p/__init__.py", "p/sub/more.py", "src/p/__init__.py", "lib/p/x.cpython-311-x86_64-linux-gnu.so"]),
        (("q",), ["q.py"]),
        (("n.s",), ["n/s/__init__.py"]),
        (("n.t",), ["src/n/t.py"]),
        (("r", "q"), ["q.py"]),
        ((), []),
    ],
)
def test_sources(modules: tuple[str, ...], found: list[str]) -> None:
    """Every file that a module could be imported from is listed, except in the tests. Data files are not."""
    files = [
        *("p/__init__.py", "p/sub/more.py", "p/data.json", "src/p/__init__.py", "tests/p/__init__.py"),
        *("lib/p/x.cpython-311-x86_64-linux-gnu.so", "q.py", "q.txt", "docs/qq.py", "n/s/__init__.py", "src/n/t.py"),
    ]
    assert list(source_files(files, modules, folder="tests")) == found
