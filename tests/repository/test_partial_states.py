"""The page of partial states says what its test checks, row by row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cli.test_partial_states import ROWS, Row
from tests.support.doc_tables import cells

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "partial-states.md"
COLUMNS = ["what is where", "`status`", "`undo`", "how the release is finished"]
STATUS = re.compile(r"(?P<state>[a-z ]+), exit (?P<code>[0-9]+)")
UNDO = re.compile(
    r"exit (?P<code>[0-9]+): removes (?P<removes>nothing|`[a-z`, -]+`)(?:, keeps (?P<keeps>`[a-z`, -]+`))?"
)

FOUND = [[cell.content for cell in row] for row in cells(PAGE)]
ON_PAGE = {row[0]: row[1:] for row in FOUND if row[0] != COLUMNS[0]}


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    """The rows are the same, in the same order, each once, under the same columns."""
    assert [row for row in FOUND if row[0] == COLUMNS[0]] == [COLUMNS] * 5
    assert [row[0] for row in FOUND if row[0] != COLUMNS[0]] == [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_says_what_is_tested(row: Row) -> None:
    """The state, both exit codes, and what `undo` removes and keeps; the last cell says how to go on."""
    status, undo, finish = ON_PAGE[row.name]
    said, done = STATUS.fullmatch(status), UNDO.fullmatch(undo)
    assert said is not None
    assert done is not None
    assert (said["state"], int(said["code"])) == (row.state, row.codes[0])
    assert int(done["code"]) == row.codes[1]
    assert set(re.findall("`([a-z-]+)`", done["removes"])) == set(row.removes)
    assert set(re.findall("`([a-z-]+)`", done["keeps"] or "")) == set(row.keeps)
    assert finish
