"""Python files as a parser takes them: decoded as they declare, and in a folder under names that nobody chose."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

_BOM = b"\xef\xbb\xbf"
# A declaration as PEP 263 has it, in one of the first two lines.
_DECLARES = re.compile(rb"[ \t\f]*#.*?coding[:=]")


class SourceFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file is not Python. ``line`` counts from 1, 0 if unknown. ``is_newer``: a newer Python accepts it."""

    path: str
    what: str
    line: int = 0
    is_newer: bool = False


class PythonSource(msgspec.Struct, frozen=True, kw_only=True):
    """A Python file by its path, and its text as UTF-8."""

    path: str
    text: bytes


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a parser found. ``unseen`` is what it cannot see, empty if it sees everything."""

    faults: tuple[SourceFault, ...]
    unseen: str = ""


def read_source(path: str, content: bytes) -> PythonSource | SourceFault:
    """Decode a file as Python does (PEP 263)."""
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        return SourceFault(path=path, what="it contains a null byte", line=line)
    head = content[:1000].removeprefix(_BOM).split(b"\n", 2)[:2]
    if not any(_DECLARES.match(each) for each in head):
        try:
            content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            return SourceFault(path=path, what="it is not UTF-8, and declares no other encoding", line=line)
        return PythonSource(path=path, text=content.removeprefix(_BOM))
    try:
        text = importlib.util.decode_source(content)
    except (SyntaxError, ValueError, LookupError) as error:
        return SourceFault(path=path, what=f"its encoding is not what it declares: {error}", line=1)
    # The declaration would be wrong now, and parsers look at it.
    first, end, rest = text.partition("\n")
    second, end_of_second, others = rest.partition("\n")
    lines = ["#" if _DECLARES.match(each.encode()) else each for each in (first, second)]
    return PythonSource(path=path, text=f"{lines[0]}{end}{lines[1]}{end_of_second}{others}".encode())


def write_numbered(sources: Sequence[PythonSource], folder: Path) -> None:
    """Write the files as ``0.py``, ``1.py`` …, so that no path of the repository is used."""
    for number, each in enumerate(sources):
        (folder / f"{number}.py").write_bytes(each.text)
