"""Read JSON and TOML from outside. Whatever is wrong with them is a `ValueError`, never a fault of unmoor."""

from __future__ import annotations

import re
from typing import Any, TypeVar

T = TypeVar("T")

# tomllib takes quadratic time for a key with many parts.
_MOST_PARTS = 64
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
# A key begins a line, a header or a pair in an inline table.
_LONG_KEY = re.compile(rf"(?:^[ \t]*\[{{0,2}}|[{{,])[ \t]*{_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{{_MOST_PARTS}}}")


def decode_json(data: bytes | str, kind: type[T]) -> T:
    """Decode JSON as a type that msgspec knows.

    Raises `ValueError`, with what is wrong, for anything else: another shape, no JSON, bytes that are
    not UTF-8, values nested too deep to read.
    """
    import msgspec

    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise _too_deep() from error


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
        return tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep() from error


def _too_deep() -> ValueError:
    return ValueError("its values are nested too deeply")
