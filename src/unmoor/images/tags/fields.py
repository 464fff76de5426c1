r"""Parse the comma-separated lines of rules, flavors and images.

One line is one CSV record (RFC 4180): commas separate fields, and a field with a comma is in double quotes as
a whole (``"pattern=v(\d{1,2})"``), in which ``""`` is one quote.
"""

from __future__ import annotations

from collections.abc import Iterable

from unmoor import advice
from unmoor.images.tags.errors import LONGEST_LINE, RuleError, SourceLine

MOST_LINES = 500


def lines(texts: Iterable[str], kind: str) -> tuple[SourceLine, ...]:
    """Split texts into lines, without blank lines and those that begin with ``#``.

    Raises `ConfigError` for a line over 4,096 characters, or more than 500 lines.
    """
    found = [line.strip() for text in texts for line in text.splitlines()]
    kept = [line for line in found if line and not line.startswith("#")]
    source_lines = tuple(SourceLine(kind=kind, number=number, text=line) for number, line in enumerate(kept, 1))
    for line in source_lines[MOST_LINES:]:
        raise line.error(f"there are {len(source_lines)} lines, but the limit is {MOST_LINES}")
    for line in source_lines:
        if len(line.text) > LONGEST_LINE:
            raise line.error(f"it has {len(line.text):,} characters, but the limit is {LONGEST_LINE:,}")
    return source_lines


def fields(line: SourceLine) -> tuple[str, ...]:
    """Split one line into its fields. Raises `ConfigError` for a misplaced quote."""
    try:
        return _split(line.text)
    except RuleError as wrong:
        raise line.error(wrong.what, at=wrong.at, next_step=wrong.next_step) from wrong


def _split(line: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while True:
        if line[at : at + 1] == '"':
            value, at = _quoted(line, at)
        else:
            end = line.find(",", at)
            end = len(line) if end < 0 else end
            value = line[at:end]
            if '"' in value:
                raise RuleError(
                    "there is a double quote in the middle of a field",
                    at=line.index('"', at),
                    next_step=advice.QUOTE_FIELD(),
                )
            at = end
        found.append(value)
        if at >= len(line):
            return tuple(found)
        at += 1


def _quoted(line: str, start: int) -> tuple[str, int]:
    """Parse a quoted field. Return its value, and the position of the comma after it."""
    value: list[str] = []
    at = start + 1
    while True:
        end = line.find('"', at)
        if end < 0:
            raise RuleError("a double quote is not closed", at=start, next_step=advice.CLOSE_QUOTE())
        value.append(line[at:end])
        if line[end + 1 : end + 2] != '"':
            break
        value.append('"')
        at = end + 2
    if line[end + 1 : end + 2] not in {"", ","}:
        raise RuleError(
            "there is text after the closing quote of a field",
            at=end + 1,
            next_step=advice.QUOTE_FIELD(),
        )
    return "".join(value), end + 1
