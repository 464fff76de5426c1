"""The part ``changelog``: towncrier, unless a changelog is kept another way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.proposals import PROJECT, applied, proposal

BARE = {"pyproject.toml": PROJECT}
SETUP = {"setup.py": "from setuptools import setup\nsetup(name='demo', version='1.0')\n"}
OTHERS: Mapping[str, tuple[dict[str, str], str]] = {
    "towncrier": ({"towncrier.toml": "[tool.towncrier]\n"}, "towncrier is set up"),
    "a file": ({"CHANGES.rst": "Changes\n"}, "CHANGES.rst is how the project keeps it"),
    "another tool": ({"pyproject.toml": f"{PROJECT}[tool.scriv]\n"}, "[tool.scriv] is how"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_changelog_stays(name: str) -> None:
    """A line says so."""
    files, note = OTHERS[name]
    made = proposal({**BARE, **files}, "changelog")
    assert made.changes == ()
    assert note in made.notes[0]


@pytest.mark.parametrize("files", [BARE, SETUP], ids=["pyproject", "setup"])
def test_the_changelog_can_be_built(files: dict[str, str], tmp_path: Path) -> None:
    """Towncrier makes a section of a fragment, with the link of its issue, by the proposed table and template."""
    made = proposal(files, "changelog")
    after = applied(files, made)
    assert proposal(after, "changelog").changes == ()
    assert ("towncrier.toml" in after) == ("pyproject.toml" not in files)
    for name, text in {**after, "changelog.d/7.feature.md": "Sail.\n", "changelog.d/+a.bugfix.md": "Mend.\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--version",
        "1.1",
        "--date",
        "2026-01-02",
        "--keep",
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    text = (tmp_path / "CHANGELOG.md").read_text()
    assert text.startswith("# Changes\n\n<!-- towncrier release notes start -->\n")
    assert "## 1.1 (2026-01-02)" in text
    assert "### Features\n\n- Sail. ([#7](https://github.com/acme/demo/issues/7))\n" in text
    assert "### Bug fixes\n\n- Mend.\n" in text
