"""Linters of the user's: found on the PATH, and run with a limit and an allow-list of variables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.shells import shell_for_tests

from unmoor.adapters.user_programs import InstalledPrograms
from unmoor.errors import Unknown
from unmoor.filesystem.layout import scripts_of

SCRIPTS = str(scripts_of(Path(sys.prefix)))
PYTHON = Path(sys.executable).name


def test_the_first_program_on_the_path_is_found() -> None:
    """Nothing is found in the current folder, nor without a PATH."""
    with shell_for_tests() as shell:
        programs = InstalledPrograms(shell=shell, environ={"PATH": SCRIPTS})
        assert programs.find(("no-such-linter", "pytest", PYTHON)) == "pytest"
        assert programs.find(("no-such-linter",)) == ""
        assert InstalledPrograms(shell=shell, environ={"PATH": "."}).find(("pytest",)) == ""


def test_a_program_gets_no_token(tmp_path: Path) -> None:
    """It runs in the given folder, and its exit code is a result."""
    show = "import os, sys; print(os.getcwd(), sorted(os.environ)); sys.exit(3)"
    environ = {"PATH": SCRIPTS, "GH_TOKEN": "secret", "GITHUB_TOKEN": "secret", "ZIZMOR_GITHUB_TOKEN": "secret"}
    with shell_for_tests() as shell:
        programs = InstalledPrograms(shell=shell, environ=environ)
        ran = programs.run([sys.executable, "-c", show], cwd=tmp_path, patience=60, limit=10_000)
    assert ran.code == 3
    assert tmp_path.name in ran.out
    assert "TOKEN" not in ran.out


@pytest.mark.parametrize(
    ("program", "patience", "why"),
    [
        ("import time; time.sleep(60)", 0.5, "ran for more than 0.5 s"),
        ("print('x' * 2_000_000)", 60, "prints more than 1 MB"),
        ("import sys; sys.stderr.write('x' * 2_000_000)", 60, "prints more than 1 MB"),
    ],
    ids=["slow", "out", "err"],
)
def test_a_program_without_an_end_has_no_answer(tmp_path: Path, program: str, patience: float, why: str) -> None:
    """What is cut could be taken for a whole answer."""
    with shell_for_tests() as shell:
        programs = InstalledPrograms(shell=shell, environ={"PATH": SCRIPTS})
        with pytest.raises(Unknown, match=why):
            programs.run([sys.executable, "-c", program], cwd=tmp_path, patience=patience, limit=1 << 20)
