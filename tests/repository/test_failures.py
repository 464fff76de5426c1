"""The page of failures names stages, exit codes and tests that there are."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from unmoor.cli.app import COMMANDS
from unmoor.errors import error_classes

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGE = REFERENCE / "failures.md"
COLUMNS = ["what goes wrong", "where", "what unmoor does", "test"]
ENDS = re.compile(r"continues|warns|exit (?P<codes>[0-9]+(?:, [0-9]+)*(?: or [0-9]+)?)")


@dataclass(frozen=True)
class Row:
    """One row: what goes wrong, where it is handled, and the tests that are linked, each as text and target."""

    wrong: str
    where: Token
    tests: Sequence[tuple[str, str]]

    def __str__(self) -> str:
        return self.wrong

    @property
    def named(self) -> list[str]:
        """What is named as code where it is handled."""
        return [token.content for token in self.where.children or () if token.type == "code_inline"]


def cells(page: Path) -> Iterator[list[Token]]:
    """Every row of every table, heads too."""
    row: list[Token] = []
    for before, token in pairwise(MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))):
        if before.type in {"td_open", "th_open"}:
            row.append(token)
        if token.type == "tr_close":
            yield row
            row = []


def linked(cell: Token) -> Iterator[tuple[str, str]]:
    """The links of a cell: text and target."""
    target = ""
    for token in cell.children or ():
        if token.type == "link_open":
            target = str(token.attrGet("href"))
        elif token.type == "code_inline" and target:
            yield token.content, target
        elif token.type == "link_close":
            target = ""


HEADS, ROWS = [], []
for found in cells(PAGE):
    if found[0].content == COLUMNS[0]:
        HEADS.append([cell.content for cell in found])
    else:
        ROWS.append(Row(found[0].content, found[1], list(linked(found[3]))))


@functools.cache
def functions(path: Path) -> frozenset[str]:
    """The tests of a file."""
    body = ast.parse(path.read_text("utf-8")).body
    return frozenset(each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"))


def test_every_table_has_the_same_columns() -> None:
    """Each failure stands there once."""
    assert len(HEADS) > 5
    assert all(head == COLUMNS for head in HEADS)
    assert [wrong for wrong, count in Counter(map(str, ROWS)).items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_exist(row: Row) -> None:
    """At least one, each linked to its file, with its function there."""
    assert row.tests
    for text, target in row.tests:
        name, _, function = text.partition("::")
        assert (PAGE.parent / target).resolve() == ROOT / name
        assert function in functions(ROOT / name)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_where_it_is_handled(row: Row) -> None:
    """By stages that there are, or commands; with an end and exit codes that there are."""
    stages = {found[0].content.strip("`") for found in cells(REFERENCE / "stages.md")}
    commands = {f"unmoor {name}" for name in COMMANDS}
    assert set(row.named) <= stages | commands
    text = row.where.content
    assert row.named or text.startswith(("every stage", "the workflow", "exit 130"))
    codes = {int(code) for end in ENDS.finditer(text) for code in re.findall("[0-9]+", end["codes"] or "")}
    assert codes <= {error.exit_code for error in error_classes()}
    assert ENDS.search(text) or not set(row.named) & stages or row.named == ["undraft"]
