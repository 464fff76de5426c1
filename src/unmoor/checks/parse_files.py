"""Parse Python files with the standard library: the program that `unmoor.checks.own_parser` runs in a child.

It is passed to the interpreter as text, so it imports the standard library only. A text made for that can end a parser,
and takes nothing with it in a process of its own.
"""

from __future__ import annotations

import ast
import gc
import json
import symtable
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO


def why_not(content: bytes, version: tuple[int, int] | None) -> tuple[int, str] | None:
    """Return the line and the message if a file is not Python of a version; of this one if it is ``None``."""
    if version is None and _is_accepted(content):
        return None
    try:
        ast.parse(content, feature_version=version)
    except SyntaxError as error:
        return error.lineno or 0, error.msg or "invalid syntax"
    except (RecursionError, MemoryError):
        return 0, "it is nested too deeply for Python to read"
    except ValueError as error:
        return 0, str(error)
    return None


def _is_accepted(content: bytes) -> bool:
    """Whether this version accepts a file so that it can run. What it does not accept may still be parsed.

    It parses as well, and makes no objects of the syntax tree, which take a third of the time.
    """
    try:
        symtable.symtable(content.decode(), "<unknown>", "exec")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return False
    return True


def judge(content: bytes, minor: int | None) -> tuple[int, str, bool] | None:
    """Return what is wrong with a file as Python 3.``minor``, and whether this version accepts it; ``None`` if nothing.

    Without ``minor`` it is parsed as this version.
    """
    if (wrong := why_not(content, (3, minor) if minor is not None else None)) is None:
        return None
    return *wrong, minor is not None and why_not(content, None) is None


def write(contents: Iterable[bytes], stream: IO[bytes]) -> None:
    """Write files into one that `main` reads: each after its length. Hundreds of small files take longer to write."""
    for each in contents:
        stream.write(b"%d\n" % len(each))
        stream.write(each)


def main(file: str, minor: str) -> str:
    """Parse the files that `write` wrote. Return as JSON the numbers and what is wrong."""
    found = []
    with open(file, "rb") as stream:  # noqa: PTH123 - pathlib takes longer to import than a small file to parse
        for number, length in enumerate(stream):
            content = stream.read(int(length))
            if (wrong := judge(content, int(minor) if minor else None)) is not None:
                found.append((number, *wrong))
    return json.dumps(found)


if __name__ == "__main__":
    gc.disable()  # syntax trees have no circles, and looking for some takes as long as parsing
    warnings.simplefilter("ignore")
    sys.stdout.write(main(*sys.argv[1:]))
