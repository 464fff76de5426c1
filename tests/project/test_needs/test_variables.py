"""Variables that a project sets where it runs its tests are read, as far as they are written down."""

from __future__ import annotations

from textwrap import dedent

import pytest

from unmoor.dists.testing.suites import Suite
from unmoor.project.files import Files
from unmoor.project.test_needs.choose import find_needs
from unmoor.project.test_needs.source import Description
from unmoor.project.test_needs.variables import Variables, usable


def found(files: dict[str, str]) -> Variables:
    """The variables for a project with these files and a test."""
    contents = {path: dedent(text).encode() for path, text in files.items()} | {"tests/test_x.py": b""}
    needs = find_needs(Files(contents.get, lambda: tuple(contents)), Description(name="one"), ("one",))
    assert needs is not None
    return needs.variables


NOX = """
    import os
    from pathlib import Path
    import nox
    ROOT = Path(__file__).resolve().parent
    TOP = os.path.dirname(os.path.abspath(__file__))
    DATA = ROOT / "data"
    def session(**kwargs):
        return nox.session(**kwargs)
    @session(python=["3.11"])
    def tests(session):
        env = {ENV}
        session.install("pytest")
        {BEFORE}
        session.run("pytest", "tests", env=env)
"""


def nox(env: str, before: str = "pass") -> dict[str, str]:
    """A file for nox with this expression for the variables, and a statement before it runs pytest."""
    return {"noxfile.py": NOX.replace("{ENV}", env).replace("{BEFORE}", before)}


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        (nox("dict(SUITE=str(ROOT / 'json'))"), (("SUITE", "{project}/json"),)),
        (nox("{'A': str(DATA.joinpath('x')), **os.environ}"), (("A", "{project}/data/x"),)),
        (nox("{'A': os.path.join(TOP, 'x', 'y')}"), (("A", "{project}/x/y"),)),
        (nox("{'A': f'{DATA}/x:{ROOT}'}"), (("A", "{project}/data/x:{project}"),)),
        (nox("{'A': os.getcwd(), 'B': DATA.as_uri(), 'C': str(secret()), 'D': 1}"), (("A", "{project}"),)),
        (nox("None", "session.env['A'] = '1'"), (("A", "1"),)),
        (nox("{'A': '2'}", "session.env['A'] = '1'"), (("A", "2"),)),
        (nox("{'A': str(ROOT.parent)}"), ()),
        (nox("{'A': f'{ROOT!r}', 'B': f'{ROOT:>9}'}"), ()),
        (
            {"tox.ini": "[testenv]\nsetenv =\n  A = {toxinidir}/x\n  B=b\ncommands = pytest\n"},
            (("A", "{project}/x"), ("B", "b")),
        ),
        (
            {"tox.ini": "[testenv]\nset_env =\n  py: A = 1\n  lint: A = 2\n  B = {env:B:b}\ncommands = pytest\n"},
            (("A", "1"), ("B", "b")),
        ),
        (
            {
                "tox.ini": "[base]\nsetenv = A = 1\n[testenv]\nsetenv =\n  {[base]setenv}\n  B = {envtmpdir}/x\n"
                "  C = {env:HOME}/x\n  D = {posargs}\n  file|.env\n  E =\ncommands = pytest\n"
            },
            (("A", "1"),),
        ),
        (
            {
                "tox.toml": '[env_run_base]\ncommands = [["pytest"]]\n[env_run_base.set_env]\nA = "{tox_root}/x"\n'
                'B = { replace = "env", name = "B" }\nC = "{env_tmp_dir}"\n'
            },
            (("A", "{project}/x"),),
        ),
        (
            {
                "hatch.toml": '[envs.default]\nenv-vars.A = "1"\nenv-vars.B = "1"\n[envs.test]\n'
                'scripts.run = "pytest"\nenv-vars.B = "{root}/x"\nenv-vars.C = "{home}/x"\n'
            },
            (("A", "1"), ("B", "{project}/x")),
        ),
        ({"tox.ini": "[testenv]\nsetenv = A = 1\ncommands = flake8\n"}, ()),
        ({"tox.toml": 'env_run_base = { commands = [["pytest"]], set_env = "A=1" }\n'}, ()),
        ({}, ()),
    ],
)
def test_each_place(files: dict[str, str], variables: Variables) -> None:
    """Paths are below the project's folder. A value that only a program could fill in is left out."""
    assert sorted(found(files)) == sorted(variables)


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONWARNINGS", "PYTHONHASHSEED", "PIP_INDEX_URL", "UV_INDEX", "COVERAGE_FILE", "PYTEST_ADDOPTS", "TMPDIR"),
        *("VIRTUALENV_PIP", "TOX_TESTENV_PASSENV", "PATH", "HOME", "LD_PRELOAD", "not a name", ""),
    ],
)
def test_what_is_of_another_environment(name: str) -> None:
    """Tests run in unmoor's own environment: what configures Python, installers or coverage is left out."""
    assert usable([(name, "x"), ("DJANGO_SETTINGS_MODULE", "x")]) == (("DJANGO_SETTINGS_MODULE", "x"),)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("{toxinidir}/tests", "{project}/tests"),
        ("libs/common{:}./more", "{project}/libs/common:{project}/more"),
        ("{env:PYTHONPATH}{:}{toxinidir}{/}tests", "{project}/tests"),
        ("{toxinidir}", ""),
        (".:../x:/usr/lib:{envtmpdir}/x", ""),
    ],
)
def test_search_path(value: str, kept: str) -> None:
    """Folders of the project, besides its top, are on the path of the tests too: they may hold their helpers."""
    assert found({"tox.ini": f"[testenv]\nsetenv = PYTHONPATH={value}\ncommands = pytest\n"}) == (
        (("PYTHONPATH", kept),) if kept else ()
    )


def test_a_suite_gives_them_to_its_command() -> None:
    """The folder of the copy stands in for the project's."""
    suite = Suite(command="pytest {project}", variables=(("A", "{project}/x:{project}"), ("B", "b")))
    assert suite.environment("/copy") == {"A": "/copy/x:/copy", "B": "b"}


@pytest.mark.parametrize("between", ["+", ","])
def test_names_that_stand_for_names(between: str) -> None:
    """A file whose values would take for ever ends."""
    lines = ["A0 = ['x', 'y']", *(f"A{n} = [*A{n - 1} {between} A{n - 1}]" for n in range(1, 60))]
    code = "\n".join(["import nox", *lines, "@nox.session", "def tests(session):", "    session.run('pytest', *A59)"])
    assert found({"noxfile.py": code}) == ()
