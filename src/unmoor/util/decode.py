"""Read JSON from outside as what it must be."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def decode_json(data: bytes, kind: type[T]) -> T:
    """Decode JSON as a type that msgspec knows.

    Raises `ValueError`, with what is wrong, for anything else: another shape, no JSON, bytes that are
    not UTF-8, values nested too deep to read.
    """
    import msgspec

    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
