"""YAML of the forms that workflows nearly always have, written at once.

ruamel.yaml decides how YAML looks, see `unmoor.workflows.yaml_by_ruamel`, but takes most of the time of a command that
only compares. So whatever has one obvious form is written here, with the bytes that ruamel.yaml writes. Anything
else has no form here: a text that may need double quotes, a text of digits, a deep key.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from unmoor.workflows.yaml_nodes import Braces, Commented, Flow

_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# With one of these at its beginning, or with one of the marks, a text needs quotes, and has no other meaning in them.
_OPENS: Final = frozenset("#,[]{}&*!|>'\"%@`")
_MARKS: Final = (": ", " #")
_PLAIN: Final = frozenset("$/_(" + string.ascii_letters)
# What begins like a number, or like the end of a document, and is neither: a path, several words that are no date.
_NO_NUMBER: Final = re.compile(r"\.(?!\.\.)[^ /]*/|[0-9](?![0-9]{3}-)[^ ]* ")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# Words with another type, in YAML 1.1 too.
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_LINE: Final = re.compile(r"(?:[ -~]*[!-~])?")
_COMMENT: Final = re.compile(r"[!\"$-~](?:[ -~]*[!-~])?")
_LONGEST: Final = 10_000


class Unusual(Exception):
    """A value has no obvious form."""


def written(value: object) -> str:
    """Return a value as YAML in block style, indented by two spaces. Raises `Unusual`."""
    if not isinstance(value, Mapping | Commented):
        raise Unusual
    return "".join(_lines(value, 0))


def _lines(value: Mapping[str, object] | Commented, indent: int) -> Iterator[str]:
    node = value if isinstance(value, Commented) else Commented(value)
    if not node.pairs or not all(map(_is_key, node.pairs)):
        raise Unusual
    margin = " " * indent
    for key, each in node.pairs.items():
        if key in node.above:
            yield from _above(node.above[key], node.indent)
        comment = ""
        if key in node.beside:
            if not isinstance(each, str) or "\n" in each or not _COMMENT.fullmatch(node.beside[key]):
                raise Unusual
            comment = f" # {node.beside[key]}"
        yield f"{margin}{key}:"
        yield from _after_key(each, indent, comment)


def _above(text: str, indent: int) -> Iterator[str]:
    if text.startswith("\n"):
        yield "\n"
        text = text.removeprefix("\n")
    for each in text.split("\n") if text else ():
        if not _COMMENT.fullmatch(each):
            raise Unusual
        yield f"{' ' * indent}# {each}\n"


def _after_key(value: object, indent: int, comment: str) -> Iterator[str]:
    if isinstance(value, Mapping | Commented):
        yield "\n"
        yield from _lines(value, indent + 2)
    elif isinstance(value, Flow):
        if not all(map(_is_key, value.items)):
            raise Unusual
        yield f" [{', '.join(value.items)}]\n"
    elif isinstance(value, Braces):
        yield " {}\n"
    elif isinstance(value, str) and "\n" in value:
        yield from _literal(value, indent + 2)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield "\n"
        yield from _items(value, indent + 2)
    else:
        text = _scalar(value)
        yield f" {text}{comment}\n" if text else "\n"


def _items(values: Sequence[object], indent: int) -> Iterator[str]:
    if not values:
        raise Unusual
    margin = " " * indent
    for each in values:
        if isinstance(each, Mapping | Commented):
            # The first key stands beside the dash.
            first, *others = _lines(each, indent + 2)
            yield f"{margin}- {first.removeprefix(f'{margin}  ')}"
            yield from others
        elif text := _scalar(each):
            yield f"{margin}- {text}\n"
        else:
            raise Unusual


def _literal(text: str, indent: int) -> Iterator[str]:
    """A text of several lines as its lines. The mark after the bar says whether a line end follows the last one."""
    lines = text.split("\n")
    ends = lines[-1] == ""
    if ends:
        lines.pop()
    if not lines[0] or lines[0].startswith(" ") or not lines[-1] or not all(map(_LINE.fullmatch, lines)):
        raise Unusual
    yield " |\n" if ends else " |-\n"
    margin = " " * indent
    yield from (f"{margin}{each}\n" if each else "\n" for each in lines)


def _scalar(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value == "":
        return "''"
    if not isinstance(value, str) or len(value) > _LONGEST or not _PRINTABLE.fullmatch(value):
        raise Unusual
    is_quoted = value[0] in _OPENS or value.endswith(":") or any(mark in value for mark in _MARKS)
    if is_quoted or _NUMBER.fullmatch(value):
        return _quoted(value)
    if value.lower() in _WORDS or (value[0] not in _PLAIN and not _NO_NUMBER.match(value)):
        raise Unusual
    return value


def _quoted(text: str) -> str:
    """In single quotes, but for a text that has some."""
    if "'" not in text:
        return f"'{text}'"
    if '"' in text or "\\" in text:
        raise Unusual
    return f'"{text}"'


def _is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None and (text == "on" or text.lower() not in _WORDS)
