"""Of several places that declare what tests need the fullest wins, and tests are found where the project says."""

from __future__ import annotations

import pytest

from unmoor.project.files import Files
from unmoor.project.test_needs.choose import Needs, find_needs
from unmoor.project.test_needs.imports import imports_of
from unmoor.project.test_needs.source import Description

TOX = """[tox]
envlist = lint,py{27,311},bench,py311-slow
[testenv]
deps = %s
commands = pytest {posargs}
[testenv:bench]
deps = pytest-benchmark
commands = pytest bench
"""
PYPROJECT = '[dependency-groups]\ntest = ["pytest"]\ndev = ["pytest", "responses>=1", "mypy", "sphinx"]\n'
DESCRIPTION = Description(
    name="one",
    requires=("requests", "pytest; extra == 'test'", "pytest; extra == 'all'", "trio; extra == 'all'"),
    extras=("test", "all"),
)


def needs(files: dict[str, str], project: Description = DESCRIPTION, modules: tuple[str, ...] = ("one",)) -> Needs:
    """What the tests of a project with these files need."""
    contents = {path: text.encode() for path, text in files.items()}
    found = find_needs(Files(contents.get, lambda: tuple(contents)), project, modules)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("files", "test", "places"),
    [
        # Equally full: what names tests comes before what names development, groups before extras.
        ({"pyproject.toml": PYPROJECT}, "import pytest, os, one, requests", ["the dependency group test"]),
        ({}, "import one", ["the extra test"]),
        ({"requirements-dev.txt": "pytest\nidna\n"}, "import one", ["the extra test"]),
        # Fuller: it provides what the tests import.
        ({"pyproject.toml": PYPROJECT}, "import responses", ["the dependency group dev"]),
        ({}, "import trio.testing", ["the extra all"]),
        ({"requirements-dev.txt": "pytest\ntrustme\n"}, "import trustme", ["requirements-dev.txt"]),
        ({"requirements-dev.txt": "pytest\nPyYAML\n"}, "from yaml import nodes", ["requirements-dev.txt"]),
        # A plugin is used by its fixture, its mark, or its option.
        ({"requirements-dev.txt": "pytest\npytest-mock\n"}, "def test_x(mocker): pass", ["requirements-dev.txt"]),
        (
            {"requirements-dev.txt": "pytest\npytest-asyncio\n"},
            "import pytest\n@pytest.mark.asyncio\nasync def test_x(): pass",
            ["requirements-dev.txt"],
        ),
        (
            {"requirements-dev.txt": "pytest-cov\n", "pytest.ini": "[pytest]\naddopts = --cov\n"},
            "",
            ["requirements-dev.txt"],
        ),
        # What a test can do without does not decide against a name for tests.
        (
            {"pyproject.toml": PYPROJECT},
            "import pytest\npytest.importorskip('responses')",
            ["the dependency group test"],
        ),
        (
            {"pyproject.toml": PYPROJECT},
            "try:\n    import responses\nexcept ImportError: pass",
            ["the dependency group test"],
        ),
        (
            {"pyproject.toml": '[dependency-groups]\ntest = ["pytest"]\ntest-more = ["trustme"]\n'},
            "import pytest\npytest.importorskip('trustme')",
            ["the dependency group test", "the dependency group test-more"],
        ),
        # The project's own environment comes first. What it lacks is added, and nothing else of the place.
        ({"tox.ini": TOX % "pytest", "pyproject.toml": PYPROJECT}, "import one", ["the environment py311 in tox.ini"]),
        (
            {"tox.ini": TOX % "pytest", "pyproject.toml": PYPROJECT},
            "import responses",
            ["the environment py311 in tox.ini", "the dependency group dev (responses)"],
        ),
        ({"tox.ini": TOX % "nose", "pyproject.toml": PYPROJECT}, "import one", ["the dependency group test"]),
        # A local module is no package.
        ({"pyproject.toml": PYPROJECT, "tests/responses.py": ""}, "import responses", ["the dependency group test"]),
    ],
)
def test_the_fullest_wins(files: dict[str, str], test: str, places: list[str]) -> None:
    """The choice follows from what the tests import."""
    assert list(needs({**files, "tests/test_x.py": test}).places) == places


def test_nothing_declares_it() -> None:
    """Tests then run with pytest only, and what they seem to need is listed, not installed."""
    found = needs(
        {
            "tests/test_x.py": "import yaml, requests, helper, one.x\ndef test_it(mocker): pass",
            "tests/helper.py": "import trio",
        },
        Description(name="one", requires=("requests",)),
    )
    assert (found.places, found.requires, found.extras) == ((), ("pytest",), ())
    assert found.missing == ("pytest-mock", "pyyaml", "trio")
    assert "nothing declares what they need" in found.why


@pytest.mark.parametrize(
    ("files", "paths", "packages"),
    [
        ({"tests/test_x.py": ""}, ("tests",), ()),
        ({"test/x_test.py": ""}, ("test",), ()),
        ({"testing/test_x.py": "", "docs/test_y.py": ""}, ("testing",), ()),
        ({"unit_tests/test_x.py": "", "examples/test_y.py": ""}, ("unit_tests",), ()),
        (
            {"checks/x.py": "", "pytest.ini": "[pytest]\ntestpaths = checks absent\n", "tests/test_x.py": ""},
            ("checks",),
            (),
        ),
        (
            {"a/t/test_x.py": "", "b/t/test_y.py": "", "pytest.toml": '[pytest]\ntestpaths = ["*/t"]\n'},
            ("a/t", "b/t"),
            (),
        ),
        ({"tests/a.py": "", "pyproject.toml": "[tool.pytest.ini_options]\nminversion = 6\n"}, ("tests",), ()),
        ({"tests/a.py": "", "setup.cfg": "[tool:pytest]\n"}, ("tests",), ()),
        ({"tests/a.py": "", "tox.ini": "[pytest]\npython_files = *.py\n"}, ("tests",), ()),
        ({"checks/test_x.py": "", "tox.ini": "[testenv]\ncommands = pytest {posargs:checks}\n"}, ("checks",), ()),
        (
            {"tests/a/test_x.py": "", "tox.ini": "[testenv]\ncommands = pytest tests/a/test_x.py::T\n"},
            ("tests/a/test_x.py",),
            (),
        ),
        ({"tests/test_x.py": "", "tox.ini": "[testenv]\ncommands = pytest --ds x {envtmpdir}\n"}, ("tests",), ()),
        ({"one/tests/test_x.py": "", "one/__init__.py": ""}, (), ("one",)),
        ({"src/one/test_x.py": "", "src/one/__init__.py": ""}, (), ("one",)),
        ({"one/tests/test_x.py": "", "pytest.ini": "[pytest]\ntestpaths = one\n"}, (), ("one",)),
        (
            {"one/tests/test_x.py": "", "tests/test_y.py": "", "pytest.ini": "[pytest]\ntestpaths = one tests\n"},
            ("tests",),
            ("one",),
        ),
        (
            {"src/one/x.py": "", "tests/test_y.py": "", "pytest.ini": "[pytest]\ntestpaths = src/one tests\n"},
            ("tests",),
            (),
        ),
        ({"test_one.py": "", "setup.py": ""}, ("test_one.py",), ()),
        ({"test.py": "import unittest\nclass A(unittest.TestCase):\n    pass\n", "one/x.py": ""}, ("test.py",), ()),
        ({"tests/test.py": "def test_x(): pass\n", "tests/more.py": ""}, ("tests/test.py",), ()),
        ({"tests/tests.py": "class A:\n    async def test_x(self): pass\n"}, ("tests/tests.py",), ()),
        ({"tests/test.py": "def test_x(): pass\n", "tests/test_y.py": ""}, ("tests",), ()),
    ],
)
def test_where_tests_are(files: dict[str, str], paths: tuple[str, ...], packages: tuple[str, ...]) -> None:
    """The project's own command comes first, then pytest's configuration, then the usual places."""
    location = needs(files).location
    assert (location.paths, location.packages) == (paths, packages)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"tests/data.txt": ""},
        {"tests/a.py": ""},
        {"docs/test_x.py": ""},
        {"test.py": "print('no tests here')\n", "docs/test.py": "def test_x(): pass\n"},
        {"pytest.ini": "[pytest]\ntestpaths = absent\n"},
    ],
)
def test_no_tests(files: dict[str, str]) -> None:
    """Without a file that pytest would collect there are none."""
    contents = {path: text.encode() for path, text in files.items()}
    assert find_needs(Files(contents.get, lambda: tuple(contents)), DESCRIPTION, ("one",)) is None


def test_imports_have_a_limit() -> None:
    """Sources beyond 3 MB are left out, and one that is no Python counts for nothing."""
    texts = {"a.py": "import trio\n", "b.py": "(", "c.py": "#" * 3_000_001 + "\nimport yaml\n"}
    assert imports_of(texts, first=list(texts), local=()).needed == {"trio"}


CHECKS = Description(
    name="one",
    requires=(
        *("pytest; extra == 'test'", "pytest-ruff; extra == 'check'", "pytest-checkdocs; extra == 'check'"),
        *("pytest-mypy; extra == 'type'", "pytest-cov; extra == 'cover'", "pytest; extra == 'all'"),
        "pytest-black; extra == 'all'",
    ),
    extras=("test", "check", "type", "cover", "all"),
)
ENVIRONMENT = (
    "[testenv]\ncommands = pytest\ndeps =\n  pytest-flake8\n  flake8\nextras =\n  test\n  check\n  type\n  cover\n"
)


@pytest.mark.parametrize(
    ("addopts", "requires", "extras"),
    [
        ("-ra", ("flake8",), ("test", "cover")),
        ("--ruff --flake8", ("pytest-flake8", "flake8"), ("test", "check", "cover")),
        ("--mypy", ("flake8",), ("test", "type", "cover")),
    ],
)
def test_checks_of_style(addopts: str, requires: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """Plugins that check files with linters are left out unless pytest is configured to use them."""
    found = needs({"tests/test_x.py": "", "tox.ini": f"{ENVIRONMENT}[pytest]\naddopts = {addopts}\n"}, CHECKS)
    assert (found.requires, found.extras) == (requires, extras)


def test_checks_alone() -> None:
    """An environment that installs pytest only through such a plugin still has pytest."""
    tox = "[testenv]\ncommands = pytest\ndeps = pytest-flake8\n"
    assert needs({"tests/test_x.py": "", "tox.ini": tox}, Description(name="one")).requires == ("pytest",)


def test_an_extra_with_tests_and_checks() -> None:
    """An extra that holds more than such plugins stays as it is."""
    tox = "[testenv]\ncommands = pytest\nextras = all\n"
    assert needs({"tests/test_x.py": "", "tox.ini": tox}, CHECKS).extras == ("all",)
