"""Which lines a change adds or replaces: git's diff without context, read.

It reads two numbers of each part, and leaves the text of lines out: counting them is the only way to tell a line that
was removed, such as ``-- x``, from the name of the next file. Libraries for diffs leave git's quoted names as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from unmoor.filesystem.layout import NULL_OF_GIT

_PART: Final = re.compile(r"@@ -[0-9]{1,9}(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@")
_TARGET: Final = "+++ "
_ESCAPE: Final = re.compile(r"\\(?:([0-7]{3})|(.))", re.DOTALL)
_LETTERS: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


def read_diff(text: str) -> Mapping[str, tuple[range, ...]]:
    """Read what ``git diff --unified=0`` prints, with its usual prefixes.

    Returns the lines that each file has now and had not, as ranges of line numbers from 1, by path from the top of the
    repository. A file that lost lines only has no ranges; one that is gone is left out. Raises `ValueError` for what is
    no such diff.
    """
    found: dict[str, list[range]] = {}
    path: str | None = None
    skipped = 0
    for line in text.split("\n"):
        if skipped and line[:1] in {"-", "+", "\\"}:
            skipped -= line[:1] != "\\"
            continue
        if skipped:
            msg = f"{skipped} lines are missing"
            raise ValueError(msg)
        if line.startswith("diff --git "):
            path = None
        elif line.startswith(_TARGET):
            path = _path_of(line.removeprefix(_TARGET))
            if path is not None:
                found.setdefault(path, [])
        elif (part := _PART.match(line)) is not None:
            removed, first, added = (int(each) if each is not None else 1 for each in part.groups())
            skipped = removed + added
            if added and path is not None:
                found[path].append(range(first, first + added))
    if skipped:
        msg = f"{skipped} lines are missing at its end"
        raise ValueError(msg)
    return {name: tuple(ranges) for name, ranges in found.items()}


def _path_of(word: str) -> str | None:
    """The path behind ``+++``: without prefix, and as it is in the file system. ``None`` for a file that is gone."""
    word = word.removesuffix("\t")
    if word == NULL_OF_GIT:
        return None
    if word.startswith('"') and word.endswith('"') and len(word) > 1:
        word = bytes(_unquoted(word[1:-1])).decode(errors="surrogateescape")
    if not word.startswith("b/"):
        msg = f"a name begins with {word[:20]!a}, not with b/"
        raise ValueError(msg)
    return word.removeprefix("b/")


def _unquoted(text: str) -> Iterator[int]:
    """The bytes of a name that git quotes as C does."""
    at = 0
    for match in _ESCAPE.finditer(text):
        yield from text[at : match.start()].encode(errors="surrogateescape")
        yield int(match[1], 8) & 0xFF if match[1] else _LETTERS.get(match[2], ord("?"))
        at = match.end()
    yield from text[at:].encode(errors="surrogateescape")
