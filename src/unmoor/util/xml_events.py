"""Read XML of a program as events, without entities and within a limit of bytes.

Expat reads it piece by piece, so a file of any size takes little memory. A file that declares entities is refused
before one is used, and expat loads nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn
from xml.parsers import expat

_PIECE: Final = 1 << 20


def read_events(
    path: Path,
    *,
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str], Any],
    text: Callable[[str], Any] | None = None,
    largest: int,
) -> None:
    """Call back for each begin and end of an element, and for its text. ``largest`` is in bytes.

    Raises `ValueError` if the file is no XML, is empty, too large or declares an entity; `OSError`; and what the
    callbacks raise.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse_entity
    size = 0
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > largest:
                    _refuse(f"it is larger than {largest // 1_000_000} MB")
                parser.Parse(piece, False)  # noqa: FBT003 - expat takes no keyword
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        msg = f"it is not XML: {error}" if size else "it is empty"
        raise ValueError(msg) from error


def _refuse_entity(*_: object) -> NoReturn:
    _refuse("it declares an entity, which no program that writes reports does")


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
