"""``python -m unmoor`` is the same command line as the script ``unmoor``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unmoor._version import version


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["--version"], 0, f"unmoor {version}"), (["plan", "--help"], 0, "Usage: unmoor plan"), (["plna"], 2, "plna")],
    ids=["version", "help", "usage"],
)
def test_the_module_runs(arguments: list[str], code: int, words: str) -> None:
    """The output and the exit code are those of the script."""
    ran = subprocess.run(
        [sys.executable, "-m", "unmoor", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ran.returncode, words in ran.stdout + ran.stderr) == (code, True), ran.stderr
