"""Read JSON, TOML and INI files from outside. Whatever is wrong with them is one error, never a fault of unmoor.

The standard library's readers take quadratic time for some texts, which are refused.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from configparser import RawConfigParser

T = TypeVar("T")

# tomllib takes quadratic time for a key with many parts.
_MOST_PARTS = 64
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
# A key begins a line, a header or a pair in an inline table.
_LONG_KEY = re.compile(rf"(?:^[ \t]*\[{{0,2}}|[{{,])[ \t]*{_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{{_MOST_PARTS}}}")

_DEEPEST = 100
# configparser takes quadratic time for blanks within a line.
_MOST_BLANKS = 200
_BLANKS = re.compile(rf"\S[^\S\n]{{{_MOST_BLANKS}}}[^\S\n]*+\S")


# One thread at a time lets msgspec look at a type for the first time.
_DESCRIBING = threading.Lock()
_described: set[Any] = set()


def described(kind: type[T]) -> type[T]:
    """Return a type that msgspec has described to itself, so that any thread can decode with it.

    msgspec keeps the description of a struct on its class, and begins to fill it before it is complete. Another thread
    that decodes the class meanwhile ends the process with a segmentation fault (msgspec 0.22).
    """
    if kind not in _described:
        import msgspec

        with _DESCRIBING:
            msgspec.json.Decoder(kind)
            _described.add(kind)
    return kind


def decode_json(data: bytes | str, kind: type[T]) -> T:
    """Decode JSON as a type that msgspec knows.

    Raises `ValueError`, with what is wrong, for anything else: another shape, no JSON, bytes that are
    not UTF-8, values nested too deep to read.
    """
    import msgspec

    try:
        return _shallow(msgspec.json.decode(data, type=described(kind)))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise _too_deep() from error


def is_json_value(data: bytes) -> bool:
    """Whether bytes are a JSON object or list. Makes no values of it, for whoever reads it does that."""
    import msgspec

    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return data.lstrip()[:1] in {b"{", b"["}


def decode_toml(data: bytes | str) -> dict[str, Any]:
    """Decode TOML 1.0.

    Raises `ValueError`: `tomllib.TOMLDecodeError` for what is no TOML, `UnicodeDecodeError` for bytes that are not
    UTF-8, or another one for values nested too deep and for keys with more than 64 parts.
    """
    import tomllib

    text = data.decode() if isinstance(data, bytes) else data
    if any(line.count(".") > _MOST_PARTS and _LONG_KEY.search(line) for line in text.split("\n")):
        msg = f"a key has more than {_MOST_PARTS} parts"
        raise ValueError(msg)
    try:
        return _shallow(tomllib.loads(text))
    except RecursionError as error:
        raise _too_deep() from error


def read_ini(parser: RawConfigParser, text: str) -> None:
    """Read a configuration file. Raises ``configparser.Error``."""
    import configparser

    if found := _BLANKS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        msg = f"line {line} has more than {_MOST_BLANKS} blanks in a row"
        raise configparser.Error(msg)
    parser.read_string(text)


def _shallow(value: T) -> T:
    """Return the value, unless its lists and tables are nested so deep that a walk through it could fail later."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        containers = [each for each in level if isinstance(each, dict | list)]
        if not containers:
            return value
        level = [inner for each in containers for inner in (each.values() if isinstance(each, dict) else each)]
    raise _too_deep()


def _too_deep() -> ValueError:
    return ValueError("its values are nested too deeply")
