"""Which tests run, with what, and where they were found."""

from __future__ import annotations

import tomllib

import pytest

from unmoor.config.groups import SuiteOptions
from unmoor.dists.inspect import Metadata
from unmoor.dists.testing.copied_tests import source_files
from unmoor.dists.testing.suites import Suite, Untested, choose_suite, describe_suite
from unmoor.errors import ConfigError
from unmoor.project.files import Files
from unmoor.project.test_needs.source import packages_of_extra

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
    """The decision for a project with these files, which installs the package ``small_one``."""
    settings = SuiteOptions(**options)  # type: ignore[arg-type]
    return choose_suite(settings, metadata, Files(files.get, lambda: tuple(files)), modules=("small_one",))


def suite_of(metadata: Metadata, files: dict[str, bytes], **options: object) -> Suite:
    """The same, for one that has tests."""
    suite = chosen(metadata, files, **options)
    assert isinstance(suite, Suite), suite
    return suite


@pytest.mark.parametrize(
    ("metadata", "files", "command", "requires", "extras"),
    [
        (EXTRA, {TEST: b""}, "{project}/tests", (), ("test",)),
        (EXTRA, {"test/x_test.py": b""}, "{project}/test", (), ("test",)),
        (ONLY_DEV, {TEST: b""}, "{project}/tests", (), ("dev",)),
        (PLAIN, {TEST: b"", "pyproject.toml": GROUPS}, "{project}/tests", ("pytest>=8", "idna"), ()),
        (PLAIN, {TEST: b""}, "{project}/tests", ("pytest",), ()),
        (PLAIN, {TEST: b"", "pyproject.toml": CYCLE}, "{project}/tests", ("pytest",), ()),
        (
            PLAIN,
            {TEST: b"", "dev-requirements.txt": b"pytest\nSmall-One[cli]\n"},
            "{project}/tests",
            ("pytest",),
            ("cli",),
        ),
        (PLAIN, {TEST: b"", "test-requirements.txt": b"mock\n"}, "{project}/tests", ("mock", "pytest"), ()),
        (
            PLAIN,
            {TEST: b"", "tox.ini": b"[testenv]\ndeps = pytest\ncommands = pytest -m 'not slow' tests/unit\n"},
            "-m 'not slow' {project}/tests/unit",
            ("pytest",),
            (),
        ),
        (PLAIN, {"src/small_one/tests/test_x.py": b""}, "--pyargs small_one", ("pytest",), ()),
        (PLAIN, {"test_x.py": b""}, "{project}/test_x.py", ("pytest",), ()),
    ],
)
def test_command_and_requirements(
    metadata: Metadata, files: dict[str, bytes], command: str, requires: tuple[str, ...], extras: tuple[str, ...]
) -> None:
    """Pytest runs where the tests are, with what is declared, and with pytest in any case."""
    suite = suite_of(metadata, files)
    assert (suite.command, suite.requires, suite.extras) == (f"python -m pytest {command}", requires, extras)


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({TEST: b""}, {"mode": "off"}, "turned off"),
        ({TEST: b""}, {"mode": "off", "command": "pytest"}, "turned off"),
        ({TEST: b""}, {"mode": "configured"}, "no test command"),
        ({"tests/data.txt": b"", "pytest.ini": b""}, {}, "no tests for pytest"),
        ({"tests/check.py": b""}, {}, "no tests for pytest"),
        ({"docs/test_x.py": b""}, {}, "no tests for pytest"),
    ],
)
def test_not_run(files: dict[str, bytes], options: dict[str, object], words: str) -> None:
    """If tests are turned off or there are none, nothing runs, and the reason is given."""
    suite = chosen(EXTRA, files, **options)
    assert isinstance(suite, Untested)
    assert words in suite.why


def test_settings_come_first() -> None:
    """A configured command runs unchanged, with groups and files resolved. Requirements alone apply to found tests."""
    files = {TEST: b"", "pyproject.toml": GROUPS, "r.txt": b"mock\n"}
    suite = chosen(EXTRA, files, command="python -m unittest", groups=("lint",), requires=("x", "-r r.txt"))
    assert suite == Suite(command="python -m unittest", requires=("x", "mock", "ruff"), project="Small.One")
    suite = suite_of(EXTRA, files, requires=("pytest", "small_one[test]"))
    assert (suite.command, suite.requires, suite.extras) == ("python -m pytest {project}/tests", ("pytest",), ("test",))
    assert "come from the settings" in suite.why
    assert Suite(command="pytest '{project}/a b'").args("/x") == ["pytest", "/x/a b"]


@pytest.mark.parametrize(
    ("suite", "added", "listed"),
    [
        (Suite(command="", requires=("pytest", "idna>=3")), (), ["pytest", "idna>=3"]),
        (Suite(command="", extras=("a", "b"), project="small-one"), ("mock",), ["small-one[a,b]", "mock"]),
        (Suite(command="", requires=('x; python_version < "4"',)), (), ['x; python_version < "4"']),
    ],
)
def test_setting_to_paste(suite: Suite, added: tuple[str, ...], listed: list[str]) -> None:
    """One setting says what a suite needs, and the settings accept it."""
    setting = tomllib.loads(suite.as_setting(*added))
    assert setting == {"test-requires": listed}
    metadata = Metadata(name="small-one", version="1", extras=("a", "b"))
    again = suite_of(metadata, {TEST: b""}, requires=tuple(listed))
    assert (again.requires, again.extras) == ((*suite.requires, *added), suite.extras)


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        (
            {TEST: b"", "pyproject.toml": b'[project]\nname = "x"\noptional-dependencies.test = ["pytest"]\n'},
            {},
            ("python -m pytest {project}/tests; with the extra test; tests/ contains", "come from the extra test"),
        ),
        (
            {"src/one/__init__.py": b"", "src/one/tests/test_x.py": b""},
            {},
            ("python -m pytest --pyargs one; with pytest; the package one", "nothing declares what they need"),
        ),
        ({TEST: b""}, {"command": "pytest -x", "requires": ("pytest", "idna")}, ("pytest -x; with pytest, idna",)),
        ({TEST: b""}, {"command": "make test"}, ("make test; with nothing else",)),
        ({TEST: b""}, {"mode": "off"}, ('turned off by tests = "off"',)),
    ],
)
def test_described_before_the_build(
    files: dict[str, bytes], options: dict[str, object], expected: tuple[str, ...]
) -> None:
    """The plan says by the files alone what would run, with what, and why."""
    settings = SuiteOptions(**options)  # type: ignore[arg-type]
    described = describe_suite(settings, Files(files.get, lambda: tuple(files)), project="x")
    assert described.startswith(expected[0])
    assert all(each in described for each in expected)


@pytest.mark.parametrize("group", ["absent", "test"])
def test_invalid_group(group: str) -> None:
    """A configured group that does not exist or includes itself is an error in the settings."""
    with pytest.raises(ConfigError, match=f"'{group}'"):
        chosen(PLAIN, {"pyproject.toml": CYCLE}, command="x", groups=(group,))


@pytest.mark.parametrize("file", [None, b"-r more.txt\n", b"./local\n"])
def test_invalid_requirements_file(file: bytes | None) -> None:
    """A configured file that is absent, or that lists what cannot be read, is an error in the settings."""
    with pytest.raises(ConfigError, match=r"test-requires leads to '(-r )?(r\.txt|more\.txt|\./local)'"):
        chosen(PLAIN, {} if file is None else {"r.txt": file}, command="x", requires=("-r r.txt",))


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
        (("typed",), ["src/typed/py.typed", "src/typed/sub/a.pyi", "typed.pyi"]),
        ((), []),
    ],
)
def test_sources(modules: tuple[str, ...], found: list[str]) -> None:
    """Every file that a module could be imported from is listed, except in the tests. Data files are not."""
    files = [
        *("p/__init__.py", "p/sub/more.py", "p/data.json", "src/p/__init__.py", "tests/p/__init__.py"),
        *("lib/p/x.cpython-311-x86_64-linux-gnu.so", "q.py", "q.txt", "docs/qq.py", "n/s/__init__.py", "src/n/t.py"),
        *("src/typed/py.typed", "src/typed/sub/a.pyi", "typed.pyi", "src/typed/a.pyx", "stubs/untyped.pyi"),
    ]
    assert list(source_files(files, modules, keep=("tests",))) == found
