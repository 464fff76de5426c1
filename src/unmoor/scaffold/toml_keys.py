"""Add keys to a TOML file, each with a comment that gives its reason. Everything that is there stays byte for byte.

Keys go below the header of their table, and new tables to the end. tomlkit writes keys and values, and the file is read
again before it counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError, Refused
from unmoor.util.decode import decode_toml
from unmoor.util.text import clean


class TomlKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to add: the table that it is in, its name and value, and the reason."""

    table: tuple[str, ...]
    name: str
    value: Any
    reason: str = ""


def with_keys(path: str, data: bytes, keys: Sequence[TomlKey]) -> bytes:
    """Return a TOML file with those of the keys that it does not have yet. A key that it has keeps its value.

    Raises `ConfigError` if the file is malformed, and `Refused` if a key cannot be added without changing the rest.
    """
    document = _parsed(path, data)
    missing = [key for key in keys if key.name not in _table(document, key.table)]
    if not missing:
        return data
    text = data.decode()
    ends = "\r\n" if "\r\n" in text else "\n"
    added = text
    for table in dict.fromkeys(key.table for key in missing):
        these = [key for key in missing if key.table == table]
        if not table:
            added = _lines_of(these).replace("\n", ends) + added
        elif _is_there(document, table):
            added = _into(added, table, these, ends)
        else:
            added = _ended(added, ends) + table_text(table, these).replace("\n", ends)
    result = added.encode()
    _require_only_added(path, data, result, missing)
    return result


def table_text(table: tuple[str, ...], keys: Sequence[TomlKey], *, array: bool = False) -> str:
    """The text of a table with these keys; of an element of an array of tables if ``array``."""
    import tomlkit

    name = ".".join(tomlkit.key(part).as_string() for part in table)
    return (f"[[{name}]]" if array else f"[{name}]") + "\n" + _lines_of(keys)


def _lines_of(keys: Sequence[TomlKey]) -> str:
    import tomlkit

    lines = []
    for key in keys:
        lines += [f"# {line}" for line in key.reason.splitlines()]
        value = key.value
        if isinstance(value, Mapping):
            value = tomlkit.inline_table()
            value.update(key.value)
        lines.append(f"{tomlkit.key(key.name).as_string()} = {tomlkit.item(value).as_string()}")
    return "\n".join(lines) + "\n"


def with_tables(path: str, data: bytes, text: str) -> bytes:
    """Return a TOML file with tables at its end, whose text is given. Raises as `with_keys` does."""
    _parsed(path, data)
    before = data.decode()
    ends = "\r\n" if "\r\n" in before else "\n"
    result = (_ended(before, ends) + text.replace("\n", ends)).encode()
    try:
        tomllib.loads(result.decode())
    except tomllib.TOMLDecodeError as error:
        raise _by_hand(path, text) from error
    return result


def _parsed(path: str, data: bytes) -> Mapping[str, Any]:
    try:
        return decode_toml(data)
    except ValueError as error:
        raise ConfigError(
            f"this is not TOML: {clean(str(error))}", where=path, next_step=advice.CORRECT_FILE(file=path)
        ) from error


def _table(document: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _is_there(document: Mapping[str, Any], table: Sequence[str]) -> bool:
    """Whether a table is written out, and not only implied by tables in it."""
    return any(not isinstance(each, Mapping | list) for each in _table(document, table).values())


def _ended(text: str, ends: str) -> str:
    """A text with a blank line at its end."""
    if not text.strip():
        return text
    return text + ("" if text.endswith("\n") else ends) + ends


def _into(text: str, table: tuple[str, ...], keys: Sequence[TomlKey], ends: str) -> str:
    """Add keys below the header of their table. tomlkit adds them right before the next table, below the blank line."""
    header = r"\.".join(rf"[ \t]*[\"']?{re.escape(part)}[\"']?[ \t]*" for part in table)
    found = re.search(rf"^[ \t]*\[{header}\][^\r\n]*(?:\r?\n|\Z)", text, re.MULTILINE)
    if found is None:
        return text  # an inline table, or dotted keys
    lines = _lines_of(keys).replace("\n", ends)
    between = "" if found[0].endswith("\n") else ends
    return f"{text[: found.end()]}{between}{lines}{text[found.end() :]}"


def _require_only_added(path: str, before: bytes, after: bytes, keys: Sequence[TomlKey]) -> None:
    """Raise `Refused` unless the file says what it said, and the keys, and has all lines that it had."""
    wanted = _copy(decode_toml(before))
    for key in keys:
        table = wanted
        for part in key.table:
            table = table.setdefault(part, {})
        table[key.name] = key.value
    try:
        found = tomllib.loads(after.decode())
    except tomllib.TOMLDecodeError:
        found = {}
    left = iter(after.splitlines())
    kept = all(any(line == each for each in left) for line in before.splitlines())
    if found != wanted or not kept:
        text = "\n".join(
            table_text(each, [key for key in keys if key.table == each]) for each in {key.table: 0 for key in keys}
        )
        raise _by_hand(path, text)


def _copy(value: Any) -> Any:
    return {key: _copy(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def _by_hand(path: str, text: str) -> Refused:
    return Refused(
        f"this cannot be added without changing the rest of the file:\n{text}",
        where=path,
        next_step=advice.ADD_BY_HAND(file=path),
    )
