"""Markdown as GitHub shows it: tables of plain text, in which text from outside adds no link, picture or HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from unmoor.util.text import clean, printable

_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}(?:/[A-Za-z0-9._~%!$&+,;=:@/#-]{0,1000})?")
_TICKS: Final = re.compile(r"`{3,}")


def cell(text: str, limit: int = 500) -> str:
    """Make plain text of a cell."""
    from unmoor.notes.markdown import escape

    return escape(clean(text, limit=limit))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table, with plain text in every cell."""
    return rows_of(head, [tuple(map(cell, row)) for row in rows])


def rows_of(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def link(address: str) -> str:
    """Return a link to an address of the web. Whatever is none, or has unusual characters in it, is plain text."""
    return f"<{address}>" if _ADDRESS.fullmatch(address) else cell(address)


def block(text: str, kind: str = "") -> str:
    """Return lines that are shown as they are, without what is invisible."""
    lines = [printable(line) for line in text.splitlines()]
    longest = max((len(found) for line in lines for found in _TICKS.findall(line)), default=2)
    fence = "`" * (longest + 1)
    return "".join(f"{line}\n" for line in (f"{fence}{kind}", *lines, fence))
