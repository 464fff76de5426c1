"""Declared types: their parts, and descriptions of the values they accept."""

from __future__ import annotations

import json
import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from unmoor.util.text import clean


@cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The keys of a declared table. Remembered, because each look resolves every annotation again."""
    return msgspec.structs.fields(kind)


def split_annotated(kind: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    """Split ``Annotated[T, Meta, …]`` into the type and its metas."""
    if get_origin(kind) is Annotated:
        base, *metas = get_args(kind)
        return base, tuple(meta for meta in metas if isinstance(meta, msgspec.Meta))
    return kind, ()


def without_none(base: Any, metas: tuple[msgspec.Meta, ...]) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    """The type of a number that may be absent, from ``Annotated[float, Meta] | None``; any other type as it is."""
    arms = get_args(base) if get_origin(base) in {Union, types.UnionType} else ()
    numbers = [split_annotated(arm) for arm in arms]
    return next(((one, metas) for one, metas in numbers if one in {int, float}), (base, metas))


def struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Find the declared table in a type such as ``Table | None``; ``None`` if there is none."""
    base, _ = split_annotated(kind)
    arms = get_args(base) if get_origin(base) in {Union, types.UnionType} else (base,)
    return next((arm for arm in arms if isinstance(arm, type) and issubclass(arm, msgspec.Struct)), None)


def structs_in(kind: Any) -> type[msgspec.Struct] | None:
    """Find the declared table of an array, such as ``tuple[Table, ...]``; ``None`` if there is none."""
    base, _ = split_annotated(kind)
    return struct_in(get_args(base)[0]) if get_origin(base) is tuple else None


def tables_in(kind: Any) -> type[msgspec.Struct] | None:
    """Find the declared table of tables with any name, such as ``dict[str, Table]``; ``None`` if there is none."""
    base, _ = split_annotated(kind)
    inner = get_args(base)[1] if get_origin(base) is dict else None
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def holds_tables(kind: Any) -> bool:
    """Whether a key holds declared tables, of which there is no environment variable and no cell in a list."""
    return (struct_in(kind) or structs_in(kind) or tables_in(kind)) is not None


def describe_type(kind: Any) -> str:
    """Describe the values that a declared type accepts."""
    base, metas = split_annotated(kind)
    words = [meta.extra["words"] for meta in metas if meta.extra and "words" in meta.extra]
    if words:
        return str(words[0])
    if get_origin(base) is Literal:
        *others, last = (json.dumps(value) for value in get_args(base))
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(base) is tuple:
        return f"a list, each item {describe_type(get_args(base)[0])}"
    if struct_in(base):
        return "a table"
    base, metas = without_none(base, metas)
    if base in {int, float}:
        low = next((meta.ge for meta in metas if meta.ge is not None), None)
        high = next((meta.le for meta in metas if meta.le is not None), None)
        return ("a whole number" if base is int else "a number") + (f" from {low} to {high}" if low is not None else "")
    return "true or false" if base is bool else "text"


def describe_value(value: object, *, quotes: bool = True) -> str:
    """Describe a value; ``quotes``: whether text may be quoted."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{clean(value, 60)}"' if quotes else "other text"
        case int() | float():
            return f"the number {clean(str(value), 30)}" if not abs(value) >= 1e18 else "a number too large"  # noqa: PLR2004
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
