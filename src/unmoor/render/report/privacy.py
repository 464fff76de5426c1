"""Remove from a report what nobody who gets it should read: secrets, and where things are on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from unmoor.util.secret_scan import token_in

T = TypeVar("T")

_SHORT = 2
"""A folder with so many parts, the root included, is a part of other paths and of addresses."""


def scrubbed(value: T, redact: Callable[[str], str], folders: Iterable[Path] = ()) -> T:
    """Return the same value with every text in it made fit for others.

    ``redact`` replaces secrets and the home folder. ``folders`` are those that paths are given relative to. A line with
    what looks like a token is left out, and says which kind it was.
    """
    # The longest first: a checkout may lie in another one.
    names = sorted({str(each) for each in folders if each != each.parent}, key=len, reverse=True)
    paths = [_path_of(name) for name in names]

    def text_of(text: str) -> str:
        for path in paths:
            text = path.sub(lambda found: "" if found["below"] else ".", text)
        return "".join(map(_without_token, redact(text).splitlines(keepends=True)))

    changed: T = _mapped(value, text_of)
    return changed


def _path_of(folder: str) -> re.Pattern[str]:
    """The path of a folder, alone or before what is below it. One such as ``/src`` is a part of addresses, too."""
    is_short = len(Path(folder).parts) <= _SHORT
    begin, end = (r"(?:(?<![\w./~-])|(?<=file://)|(?<= -[A-Z]))", r"(?![\w-]|\.\w)") if is_short else ("", "")
    return re.compile(rf"{begin}{re.escape(folder)}(?:(?P<below>{re.escape(os.sep)})|{end})")


def _without_token(line: str) -> str:
    secret = token_in(line)
    end = line[len(line.rstrip("\r\n")) :]
    return f"[a line with {secret} is left out]{end}" if secret else line


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Apply a function to each text of a value. A member of an enumeration is a word of unmoor."""
    if type(value) is str:
        return change(value)
    if isinstance(value, tuple):
        return tuple(_mapped(each, change) for each in value)
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _mapped(getattr(value, name), change) for name in value.__struct_fields__})
    return value
