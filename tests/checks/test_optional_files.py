"""Files whose absence is worth a warning."""

from __future__ import annotations

import pytest
from tests.support.checked import found_by, result_of

from unmoor.checks.model import CheckState
from unmoor.checks.optional_files import CHECK

USUAL = {"readme.rst": "", "LICENSES/MIT.txt": "", "docs/changelog.md": "", ".gitignore": ""}
SETTINGS = '[tool.unmoor.checks]\noptional = ["CITATION.cff"]\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (USUAL, []),
        ({}, ["there is no README", "there is no licence", "there is no changelog", "there is no .gitignore"]),
        ({"pyproject.toml": SETTINGS}, ["there is no CITATION.cff"]),
        ({"pyproject.toml": SETTINGS, "CITATION.cff": ""}, []),
        ({"pyproject.toml": '[tool.unmoor]\nchangelog = "WHAT.md"\n', **USUAL, "docs/changelog.md": ""}, []),
    ],
    ids=["usual", "nothing", "settings", "there", "named"],
)
def test_what_should_be_there(files: dict[str, str], expected: list[str]) -> None:
    """Usual names count in any case, unless the settings name others."""
    assert found_by(CHECK, files) == expected


def test_it_is_a_warning() -> None:
    """Nobody is kept from a release by a missing changelog."""
    assert result_of(CHECK, {}).state is CheckState.WARNED


def test_the_top_counts_for_a_folder() -> None:
    """A project in a folder has the licence of its repository."""
    files = {"packages/one/pyproject.toml": "", **USUAL}
    assert found_by(CHECK, files, path="packages/one") == []
