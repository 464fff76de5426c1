"""The names and the texts of changelog fragments."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "changelog.d"
KINDS = [
    kind["directory"] for kind in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
]
NAME = re.compile(rf"([1-9][0-9]*|\+[a-z0-9]+(-[a-z0-9]+)*)\.({'|'.join(KINDS)})(\.[1-9][0-9]*)?\.md", re.ASCII)


def _fragments() -> list[Path]:
    return sorted(path for path in FOLDER.iterdir() if path.name != "README.md")


def test_every_fragment_is_named_after_the_grammar() -> None:
    """A fragment with another name would be missing from the changelog, or fail the release."""
    assert [path.name for path in _fragments() if not NAME.fullmatch(path.name)] == []


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("42.feature.md", True),
        ("42.bugfix.1.md", True),
        ("+world-up.feature.md", True),
        ("world-up.feature.md", False),
        ("42.misc.md", False),
        ("42.feature.rst", False),
        ("+World.feature.md", False),
        ("+.feature.md", False),
    ],
)
def test_the_grammar_itself(name: str, valid: bool) -> None:  # noqa: FBT001 - a column of the table
    """The names in the README are valid, and similar ones are not."""
    assert bool(NAME.fullmatch(name)) is valid


def test_every_fragment_is_a_sentence() -> None:
    """A fragment has a few lines. It starts with a capital or a command and ends with a full stop."""
    for path in _fragments():
        text = path.read_text("utf-8")
        assert re.match(r"[A-Z`]", text), path.name
        assert text.endswith(".\n"), path.name
        assert 30 < len(text) < 600, path.name


def test_the_readme_names_every_kind() -> None:
    """The table of kinds matches the configuration of towncrier."""
    table = re.findall(r"^\| `([a-z]+)` \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert table == KINDS
