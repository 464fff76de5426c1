"""The page of failures names stages, exit codes and tests that exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it.token import Token
from tests.support.doc_tables import cells, functions, linked

from unmoor.cli.app import COMMANDS
from unmoor.errors import error_classes

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGE = REFERENCE / "failures.md"
COLUMNS = ["what goes wrong", "where", "what unmoor does", "test"]
ENDS = re.compile(r"continues|warns|exit (?P<codes>[0-9]+(?:, [0-9]+)*(?: or [0-9]+)?)")


@dataclass(frozen=True)
class Row:
    """A row: what goes wrong, where it is handled, and the linked tests, each as text and target."""

    wrong: str
    where: Token
    tests: Sequence[tuple[str, str]]

    def __str__(self) -> str:
        return self.wrong

    @property
    def named(self) -> list[str]:
        """The code words of the column "where"."""
        return [token.content for token in self.where.children or () if token.type == "code_inline"]


HEADS, ROWS = [], []
for found in cells(PAGE):
    if found[0].content == COLUMNS[0]:
        HEADS.append([cell.content for cell in found])
    else:
        ROWS.append(Row(found[0].content, found[1], list(linked(found[3]))))


def test_every_table_has_the_same_columns() -> None:
    """Every table has the same columns, and no failure is listed twice."""
    assert len(HEADS) > 5
    assert all(head == COLUMNS for head in HEADS)
    assert [wrong for wrong, count in Counter(map(str, ROWS)).items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_exist(row: Row) -> None:
    """A row links at least one test, each to the file that contains it."""
    assert row.tests
    for text, target in row.tests:
        name, _, function = text.partition("::")
        assert (PAGE.parent / target).resolve() == ROOT / name
        assert function in functions(ROOT / name)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_where_it_is_handled(row: Row) -> None:
    """A row names existing stages or commands, how the run ends, and existing exit codes."""
    stages = {found[0].content.strip("`") for found in cells(REFERENCE / "stages.md")}
    commands = {f"unmoor {name}" for name in COMMANDS}
    assert set(row.named) <= stages | commands
    text = row.where.content
    assert row.named or text.startswith(("every stage", "the workflow", "exit 130"))
    codes = {int(code) for end in ENDS.finditer(text) for code in re.findall("[0-9]+", end["codes"] or "")}
    assert codes <= {error.exit_code for error in error_classes()}
    assert ENDS.search(text) or not set(row.named) & stages or row.named == ["undraft"]
