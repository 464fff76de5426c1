"""Each place where people declare what their tests need is read without running code."""

from __future__ import annotations

from textwrap import dedent

import pytest

from unmoor.project.files import Files
from unmoor.project.test_needs.choose import read_sources
from unmoor.project.test_needs.command import PytestCall
from unmoor.project.test_needs.extras import describe
from unmoor.project.test_needs.source import Source

GROUPS = '[dependency-groups]\ntest = [{include-group = "base"}, "idna"]\nbase = ["pytest>=8"]\nbroken = [1]\n'


def tree(files: dict[str, str]) -> Files:
    """A project with these files."""
    contents = {path: dedent(text).encode() for path, text in files.items()}
    return Files(contents.get, lambda: tuple(contents))


def read(files: dict[str, str]) -> dict[str, Source]:
    """What they declare, by place."""
    made = tree(files)
    return {source.place: source for source in read_sources(made, describe(made, "small-one"))}


NOX = """
    import nox
    PYPROJECT = nox.project.load_toml("pyproject.toml")
    TESTS = ["pytest", "trustme>=1"]
    @nox.session(python=["3.11"])
    def lint(session):
        session.install("ruff")
        session.run("ruff", "check")
    def run(session, *args):
        session.run("coverage", "run", "-m", "pytest", *args, *(session.posargs or ["tests"]))
    @nox.session
    def tests(session):
        session.install(*TESTS, "-r", "requirements/test.txt", ".[cli]", f"x=={version()}")
        session.install(*PYPROJECT["dependency-groups"]["test"])
        run(session)
"""
WITH_ARGUMENTS = """
    import nox
    ROOT = Path(__file__).parent
    @nox.session
    def tests(session):
        session.install("pytest", f"{ROOT}[cli]")
        if session.posargs and session.posargs[0] == "coverage":
            session.install("coverage")
            session.run("coverage", "run", "-m", "pytest", "other")
        else:
            session.run("pytest", str(ROOT / "tests"))
"""
TOX = """
    [tox]
    envlist = py{39,31{0-2}}-{core,full}, lint
    [base]
    deps = pytest
    [testenv]
    deps =
        {[base]deps}
        full: trustme
        !full: slim ; python_version > "3"
        -r{toxinidir}/requirements/test.txt
        py27: mock
    extras = full: cli
    commands =
        python -m coverage erase
        python -m pytest --cov=x -m "not slow" {posargs:tests --durations 3}
    [testenv:lint]
    deps = ruff
    commands = ruff check
"""
TOX_TOML = """
    env_list = ["lint", "3.11"]
    [env_run_base]
    deps = ["pytest", "-r requirements/test.txt", { replace = "ref", of = ["env", "lint", "deps"] }]
    dependency_groups = ["test"]
    extras = ["cli"]
    commands = [["pytest", "-m", "not slow", { replace = "posargs", default = ["tests", "-n", "4"], extend = true }]]
    [env.lint]
    deps = ["ruff"]
    commands = [["ruff", "check"]]
"""
HATCH = """
    [envs.base]
    dependencies = ["pytest"]
    [envs.unit]
    template = "base"
    extra-dependencies = ["trustme"]
    features = ["cli"]
    dependency-groups = ["test"]
    scripts.run = "pytest {args:tests}"
    [envs.hatch-test]
    extra-dependencies = ["idna"]
    [envs.docs]
    dependencies = ["sphinx"]
"""
POETRY = """
    [tool.poetry]
    name = "small-one"
    [tool.poetry.dependencies]
    python = "^3.9"
    click = { version = "^8", optional = true }
    [tool.poetry.extras]
    cli = ["click"]
    [tool.poetry.dev-dependencies]
    pytest = "^7.1"
    [tool.poetry.group.test.dependencies]
    pytest = "~8.1.2"
    trustme = "*"
    idna = { version = ">=1,<3", extras = ["a"], python = "<4", markers = "sys_platform == 'linux'" }
    gapped = "^1.2 || ^3"
    forked = { git = "https://example.org/a/forked.git", rev = "abc" }
    beside = { path = "../beside" }
    split = [{ version = "1.0", python = "<3.9" }, { version = "^2", python = ">=3.9" }]
    [tool.poetry.group.docs.dependencies]
    sphinx = "^7"
"""
REQUIREMENTS = {"requirements/test.txt": "-r base.txt\n", "requirements/base.txt": "hypothesis>=6  # why\n"}


@pytest.mark.parametrize(
    ("files", "place", "expected"),
    [
        ({"pyproject.toml": GROUPS}, "the dependency group test", (("pytest>=8", "idna"), ())),
        (
            {
                "pyproject.toml": '[tool.pdm.dev-dependencies]\ntest = ["pytest", "-e file:///${PROJECT_ROOT}/x#egg=y"]\n'
            },
            "tool.pdm.dev-dependencies.test",
            (("pytest", "y @ file:///${PROJECT_ROOT}/x"), ()),
        ),
        (
            {"pyproject.toml": '[tool.uv]\ndev-dependencies = ["pytest"]\n'},
            "tool.uv.dev-dependencies",
            (("pytest",), ()),
        ),
        (
            {"pyproject.toml": '[tool.cibuildwheel]\ntest-requires = "pytest idna"\ntest-extras = ["cli"]\n'},
            "tool.cibuildwheel",
            (("pytest", "idna"), ("cli",)),
        ),
        ({"setup.cfg": "[options]\ntests_require =\n    pytest\n"}, "tests_require in setup.cfg", (("pytest",), ())),
        (
            {"setup.py": "from setuptools import setup\nT = ['pytest']\nsetup(name='x', tests_require=T)\n"},
            "tests_require in setup.py",
            (("pytest",), ()),
        ),
        (
            {"setup.py": "from setuptools import setup\nsetup(name='x', extras_require={'test': ['pytest']})\n"},
            "the extra test",
            ((), ("test",)),
        ),
        ({"pyproject.toml": POETRY}, "tool.poetry.dev-dependencies", (("pytest<8.0,>=7.1",), ())),
        (
            {"pyproject.toml": POETRY},
            "tool.poetry.group.test",
            (
                (
                    "pytest<8.2.0,>=8.1.2",
                    "trustme",
                    'idna[a]<3,>=1; sys_platform == "linux" and python_version < "4"',
                    "gapped<4,>=1.2",
                    "forked @ git+https://example.org/a/forked.git@abc",
                    'split==1.0; python_version < "3.9"',
                    'split<3,>=2; python_version >= "3.9"',
                ),
                (),
            ),
        ),
        ({"pyproject.toml": POETRY}, "the extra cli", ((), ("cli",))),
        (
            {"noxfile.py": NOX, "pyproject.toml": GROUPS, **REQUIREMENTS},
            "the session tests in noxfile.py",
            (("pytest", "trustme>=1", "hypothesis>=6", "idna"), ("cli",)),
        ),
        ({"noxfile.py": WITH_ARGUMENTS}, "the session tests in noxfile.py", (("pytest",), ("cli",))),
        (
            {
                "noxfile.py": "import nox\n@nox.session\ndef t(s):\n"
                "    s.run_install('uv', 'sync', '--group=test', '--extra', 'cli')\n    s.run('pytest')\n",
                "pyproject.toml": GROUPS,
            },
            "the session t in noxfile.py",
            (("pytest>=8", "idna"), ("cli",)),
        ),
        (
            {"tox.ini": TOX, **REQUIREMENTS},
            "the environment py311-full in tox.ini",
            (("pytest", "trustme", "hypothesis>=6"), ("cli",)),
        ),
        (
            {"tox.ini": TOX, **REQUIREMENTS},
            "the environment py311-core in tox.ini",
            (("pytest", 'slim; python_version > "3"', "hypothesis>=6"), ()),
        ),
        (
            {"pyproject.toml": f'[tool.tox]\nlegacy_tox_ini = """{dedent(TOX)}"""\n'},
            "the environment py311-core in pyproject.toml",
            (("pytest", 'slim; python_version > "3"'), ()),
        ),
        (
            {"setup.cfg": "[tox:tox]\nenvlist = py\n[testenv]\ndeps = nose\ncommands = python -m unittest\n"},
            "the environment py in setup.cfg",
            (("nose",), ()),
        ),
        (
            {"tox.toml": TOX_TOML, "pyproject.toml": GROUPS, **REQUIREMENTS},
            "the environment 3.11 in tox.toml",
            (("pytest", "hypothesis>=6", "ruff", "pytest>=8", "idna"), ("cli",)),
        ),
        (
            {"hatch.toml": HATCH, "pyproject.toml": GROUPS},
            "Hatch's environment unit in hatch.toml",
            (("pytest", "trustme", "pytest>=8", "idna"), ("cli",)),
        ),
        ({"requirements-dev.txt": "pytest\n-e .[cli]\n"}, "requirements-dev.txt", (("pytest",), ("cli",))),
        ({"dev_requirements.txt": "pytest\n"}, "dev_requirements.txt", (("pytest",), ())),
        ({"tests/requirements.txt": "pytest\n"}, "tests/requirements.txt", (("pytest",), ())),
        ({"requirements/tests.in": "pytest\n"}, "requirements/tests.in", (("pytest",), ())),
        (
            {"requirements/a.in": "pytest\n", "requirements/a.txt": "pytest==8\n"},
            "requirements/a.txt",
            (("pytest==8",), ()),
        ),
    ],
)
def test_each_place(files: dict[str, str], place: str, expected: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """Requirements become PEP 508, and the project's own extras are kept apart."""
    found = read(files)
    assert place in found, sorted(found)
    assert (found[place].requires, found[place].extras) == expected


@pytest.mark.parametrize(
    ("files", "place", "call"),
    [
        (
            {"tox.ini": TOX},
            "the environment py311-core in tox.ini",
            PytestCall(options=("-m", "not slow"), paths=("tests",)),
        ),
        (
            {"tox.toml": TOX_TOML},
            "the environment 3.11 in tox.toml",
            PytestCall(options=("-m", "not slow"), paths=("tests",)),
        ),
        ({"noxfile.py": NOX}, "the session tests in noxfile.py", PytestCall(paths=("tests",))),
        ({"noxfile.py": WITH_ARGUMENTS}, "the session tests in noxfile.py", PytestCall(paths=("./tests",))),
        ({"hatch.toml": HATCH}, "Hatch's environment unit in hatch.toml", PytestCall(paths=("tests",))),
        ({"hatch.toml": HATCH}, "Hatch's environment hatch-test in hatch.toml", PytestCall(paths=("tests",))),
        (
            {"tox.ini": "[testenv]\nchangedir = {envtmpdir}/x\ncommands = pytest {toxinidir}/t\n"},
            "the environment py in tox.ini",
            PytestCall(paths=("./t",)),
        ),
        (
            {"tox.ini": "[testenv]\ncommands = py: {posargs:pytest -v --ignore=src t}\n"},
            "the environment py in tox.ini",
            PytestCall(options=("--ignore=src",), paths=("t",)),
        ),
        (
            {"tox.toml": '[env_run_base]\ncommands = [[{replace = "posargs", default = ["pytest", "-k", "a"]}]]\n'},
            "the environment py in tox.toml",
            PytestCall(options=("-k", "a")),
        ),
        (
            {"noxfile.py": "import nox\n@nox.session\ndef t(s):\n    s.run(*(s.posargs or ['pytest', 't']))\n"},
            "the session t in noxfile.py",
            PytestCall(paths=("t",)),
        ),
        (
            {"hatch.toml": '[envs.t]\nscripts.run = "coverage run -m {args:pytest t}"\n'},
            "Hatch's environment t in hatch.toml",
            PytestCall(paths=("t",)),
        ),
        ({"tox.ini": "[testenv]\nchangedir = checks\ncommands = pytest t\n"}, "the environment py in tox.ini", None),
        ({"tox.ini": "[testenv]\ncommands = python -m unittest\n"}, "the environment py in tox.ini", None),
    ],
)
def test_how_a_project_runs_its_tests(files: dict[str, str], place: str, call: PytestCall | None) -> None:
    """The options that choose tests are kept; coverage, reports and speed are not; defaults give only paths."""
    assert read(files)[place].call == call


@pytest.mark.parametrize(
    ("files", "absent"),
    [
        ({"pyproject.toml": GROUPS}, "the dependency group broken"),
        ({"tox.ini": TOX}, "the environment lint in tox.ini"),
        ({"noxfile.py": NOX}, "the session lint in noxfile.py"),
        ({"hatch.toml": HATCH}, "Hatch's environment docs in hatch.toml"),
        ({"requirements/a.in": "pytest\n", "requirements/a.txt": "pytest==8\n"}, "requirements/a.in"),
        ({"docs/requirements.txt": "sphinx\n"}, "docs/requirements.txt"),
    ],
)
def test_what_is_no_source(files: dict[str, str], absent: str) -> None:
    """What cannot be resolved, and environments that run no tests, are left out."""
    assert absent not in read(files)


@pytest.mark.parametrize(
    "files",
    [
        {"tox.ini": "not ini"},
        {"tox.ini": "[testenv]\ncommands = pytest '\ndeps = {[testenv]deps}\n"},
        {"tox.ini": "[tox]\nenvlist = " + "{a,b}" * 40 + "\n[testenv]\ncommands = pytest\n"},
        {"tox.toml": "["},
        {"tox.toml": "env_list = 3\n[env_run_base]\ncommands = 4\n"},
        {"hatch.toml": "envs = 1"},
        {"hatch.toml": '[envs.test]\ntemplate = "test"\n'},
        {"noxfile.py": "def ("},
        {"noxfile.py": "import nox\n@nox.session\ndef t(s):\n    t(s)\n    s.run('pytest', *X[0](1))\n"},
        {"noxfile.py": "import nox\nA = B\nB = A\n@nox.session\ndef t():\n    pass\n"},
        {"requirements-test.txt": "-r requirements-test.txt\n-r ../../etc/passwd\n'\n-r\n--hash\n"},
        {"pyproject.toml": "tool = 1\ndependency-groups = 1\nproject = 2\n"},
        {"pyproject.toml": "[tool]\npoetry = 1\npdm = []\ntox = 'x'\nhatch.envs = 3\ncibuildwheel.test-requires = 1\n"},
        {"pyproject.toml": '[tool.poetry.group.test.dependencies]\na = 1\nb = "^^"\nc = {}\nd = [{}]\n'},
        {"pyproject.toml": "[project]\ndependencies = 3\noptional-dependencies = {test = 1}\n"},
        {"setup.py": "from setuptools import setup\nsetup(tests_require=f(), extras_require={'a': 1, 2: ['x y']})\n"},
    ],
)
def test_malformed_files(files: dict[str, str]) -> None:
    """A file that its own program would refuse is no error here: that program reports it."""
    for source in read(files).values():
        assert all(isinstance(each, str) for each in (*source.requires, *source.extras))
