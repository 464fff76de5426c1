r"""The comma-separated lines that rules, flavors and images are written in.

One line holds one record of CSV (RFC 4180): fields between commas, and a field that holds a comma
stands in double quotes as a whole (``"pattern=v(\d{1,2})"``), in which ``""`` is one quote.
"""

from __future__ import annotations

from collections.abc import Iterable

from unmoor.images.tags.errors import LONGEST_LINE, RuleError, SourceLine

MOST_LINES = 500


def lines(texts: Iterable[str], kind: str) -> tuple[SourceLine, ...]:
    """Split texts of one or more lines; blank lines, and those that begin with ``#``, are left out.

    Raises `ConfigError` for a line over 4,096 characters, or more than 500 lines.
    """
    found = [line.strip() for text in texts for line in text.splitlines()]
    kept = [line for line in found if line and not line.startswith("#")]
    places = tuple(SourceLine(kind=kind, number=number, text=line) for number, line in enumerate(kept, 1))
    for place in places[MOST_LINES:]:
        raise place.error(f"there are {len(places)} lines, and {MOST_LINES} is the most")
    for place in places:
        if len(place.text) > LONGEST_LINE:
            raise place.error(f"it is {len(place.text):,} characters long, and {LONGEST_LINE:,} is the most")
    return places


def fields(place: SourceLine) -> tuple[str, ...]:
    """Split one line into its fields. Raises `ConfigError` where a quote is out of place."""
    try:
        return _split(place.text)
    except RuleError as wrong:
        raise place.error(wrong.what, at=wrong.at, next_step=wrong.next_step) from wrong


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
                    "a double quote stands in the middle of a field",
                    at=line.index('"', at),
                    next_step='put the whole field in quotes ("pattern=a,b"), and write a quote in it twice',
                )
            at = end
        found.append(value)
        if at >= len(line):
            return tuple(found)
        at += 1


def _quoted(line: str, start: int) -> tuple[str, int]:
    """Read a quoted field; gives its value, and where the comma after it stands."""
    value: list[str] = []
    at = start + 1
    while True:
        end = line.find('"', at)
        if end < 0:
            raise RuleError(
                "a double quote is never closed", at=start, next_step='end the field with a double quote (")'
            )
        value.append(line[at:end])
        if line[end + 1 : end + 2] != '"':
            break
        value.append('"')
        at = end + 2
    if line[end + 1 : end + 2] not in {"", ","}:
        raise RuleError(
            "something follows the closing quote of a field",
            at=end + 1,
            next_step='put the whole field in quotes ("pattern=a,b"), and write a quote in it twice',
        )
    return "".join(value), end + 1
