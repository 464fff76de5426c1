"""The generated reference pages are up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_generated_pages_are_fresh() -> None:
    """The pages of commands, stages and exit codes match the code."""
    ran = subprocess.run(
        [sys.executable, "-m", "tools.reference", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_readme_names_every_command_that_exists() -> None:
    """Every command that the README or a page shows exists."""
    import re

    from unmoor.cli.app import COMMANDS

    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        word for page in pages for word in re.findall(r"(?:^\$ |`)unmoor ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert shown <= set(COMMANDS), shown - set(COMMANDS)
