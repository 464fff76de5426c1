"""Tables of pages that link tests."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.support.syntax import syntax


@functools.cache
def cells(page: Path) -> list[list[Token]]:
    """Return every row of every table, including the heads."""
    rows: list[list[Token]] = []
    row: list[Token] = []
    for before, token in pairwise(MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))):
        if before.type in {"td_open", "th_open"}:
            row.append(token)
        if token.type == "tr_close":
            rows.append(row)
            row = []
    return rows


def linked(cell: Token) -> Iterator[tuple[str, str]]:
    """Yield the text and the target of each link in a cell."""
    target = ""
    for token in cell.children or ():
        if token.type == "link_open":
            target = str(token.attrGet("href"))
        elif token.type == "code_inline" and target:
            yield token.content, target
        elif token.type == "link_close":
            target = ""


@functools.cache
def functions(path: Path) -> frozenset[str]:
    """Return the names of the tests in a file."""
    body = syntax(path).body
    return frozenset(each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"))
