"""The page of platforms names tests that exist, and every module that has not been run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.doc_tables import cells, functions, linked
from tests.support.systems import file_is_for

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "unmoor"
PAGE = ROOT / "docs" / "reference" / "platforms.md"
ROWS = {row[0].content: row for row in cells(PAGE)}
GUARANTEES = {name: row for name, row in ROWS.items() if len(row) == 5 and name != "guarantee"}
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


@pytest.mark.parametrize("name", GUARANTEES)
def test_a_guarantee_has_a_test(name: str) -> None:
    """Each guarantee links the tests that check it."""
    tests = list(linked(GUARANTEES[name][4]))
    assert tests
    for text, target in tests:
        file, _, function = text.partition("::")
        assert (PAGE.parent / target).resolve() == ROOT / file
        assert function in functions(ROOT / file)


def test_a_module_that_cannot_run_here_is_named() -> None:
    """The page lists the modules that exist for one other system only, with that system."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        systems = [title for name, title in SYSTEMS.items() if file_is_for(path.read_text("utf-8"), name)]
        if "Linux" not in systems:
            found[path.relative_to(PACKAGE).as_posix()] = ", ".join(systems)
    named = {
        text: row[1].content for row in ROWS.values() for text, target in linked(row[0]) if "/src/unmoor/" in target
    }
    assert named == found
    assert len(GUARANTEES) > 5
