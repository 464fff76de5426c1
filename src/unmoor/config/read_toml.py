"""Read declared tables from TOML, and collect every fault with its key, its line and a suggestion.

A table is declared as a ``msgspec.Struct``. Its fields are the keys (kebab-case) with their types and defaults. The
``Meta`` of a field has the description, limits and patterns. Two entries of ``Meta.extra`` belong to this module:
``words`` describes the expected value if its pattern is hard to read; ``check`` is a function that returns the
normalized value, or raises ``ValueError`` with a reason.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from unmoor import advice
from unmoor.advice import NOTHING, NextStep, join
from unmoor.config.type_names import (
    describe_type,
    describe_value,
    fields_of,
    split_annotated,
    struct_in,
    structs_in,
    tables_in,
)
from unmoor.errors import ConfigError
from unmoor.util.decode import decode_toml
from unmoor.util.secret import Secret
from unmoor.util.text import clean

Path = tuple[str, ...]
Table = Mapping[str, Any]
S = TypeVar("S", bound=msgspec.Struct)

_LIMIT = 1_000_000
_LONGEST_VALUE = 2_000
# A statement of many lines is tried again with each of them. From this many characters on, keys have no line.
_MOST_TRIED = 1_000_000
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True)
class TomlDocument:
    """A parsed TOML file, and the line of each key."""

    source: str
    text: str = field(repr=False)
    table: Table = field(repr=False)

    @cached_property
    def lines(self) -> Mapping[Path, int]:
        """The line, from 1, on which each key or table first appears."""
        return lines_of(self.text)

    def line_of(self, path: Path) -> int:
        """The line of a key, or else of the table without it, or else 0."""
        known = (self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines)
        return next(known, 0)


def parse(data: bytes, source: str) -> TomlDocument:
    """Parse TOML 1.0. Raises `ConfigError` with file, line and column; never quotes the content."""
    where, what = source, ""
    if len(data) > _LIMIT:
        what = f"this file is longer than {_LIMIT} bytes"
    else:
        try:
            text = data.decode()
            return TomlDocument(source, text, decode_toml(text))
        except UnicodeDecodeError as error:
            line = data.count(10, 0, error.start) + 1
            where, what = f"{source}, line {line}", "this line is not UTF-8 text"
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            place = _PLACE.search(message)
            where = f"{source}, line {place[1]}, column {place[2]}" if place else source
            what = f"this is not TOML: {clean(_PLACE.sub('', message))}"
        except ValueError as error:
            what = f"this TOML cannot be read: {error}"
    # Raised outside of "except": the original error contains the whole text, including secrets.
    raise ConfigError(what, where=where, next_step=advice.CORRECT_FILE(file=source))


def lines_of(text: str) -> dict[Path, int]:
    """Find the line of every key, by parsing the text one statement at a time.

    The parser gives no positions. The text must be valid TOML, so a statement ends on the first line at which it
    parses by itself. The tables of an array (``[[name]]``) are numbered from 1: ``("name", "2", "key")``.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    rows: dict[Path, int] = {}
    pending: list[str] = []
    left = _MOST_TRIED + len(text)
    for number, line in enumerate(text.split("\n"), 1):
        if not pending and line.strip()[:1] in {"", "#"}:
            continue
        pending.append(line)
        left -= sum(map(len, pending))
        if len(pending) > _LONGEST_VALUE or left < 0:
            break
        try:
            piece = tomllib.loads("\n".join(pending) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        first = number - len(pending) + 1
        is_header = pending[0].lstrip().startswith("[")
        paths = list(_paths(piece))
        if is_header:
            adds = pending[0].lstrip().startswith("[[")
            table = _header(max(paths, key=len), rows, adds=adds)
            paths = [table[:-1], table] if adds else [table]
        else:
            paths = [(*table, *path) for path in paths]
        for path in paths:
            found.setdefault(path, first)
        pending = []
    return found


def _header(path: Path, rows: dict[Path, int], *, adds: bool) -> Path:
    """Add the number of each enclosing array's table to the path of a table; ``rows`` counts those tables."""
    if adds:
        rows[path] = rows.get(path, 0) + 1
    numbered: Path = ()
    for end, part in enumerate(path, 1):
        row = rows.get(path[:end])
        numbered = (*numbered, part) if row is None else (*numbered, part, str(row))
    return numbered


def _paths(value: object) -> Iterable[Path]:
    """Yield every path of keys in nested tables, outer ones first."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (key,)
            if isinstance(inner, dict) or (isinstance(inner, list) and inner and isinstance(inner[0], dict)):
                yield from ((key, *path) for path in _paths(inner))


@dataclass
class Faults:
    """The faults of one source, reported together; ``quotes``: whether messages may quote text from it."""

    source: str
    line_of: Callable[[Path], int] = lambda _path: 0
    quotes: bool = True
    found: list[tuple[int, str, NextStep]] = field(default_factory=list)

    def add(self, path: Path, what: str, *, next_step: NextStep = NOTHING) -> None:
        """Add a fault at a key."""
        key = ".".join(clean(part, 60) for part in path)
        self.found.append((self.line_of(path), f"{key}: {what}" if key else what, next_step))

    def stop(self) -> None:
        """Raise `ConfigError` if there are any faults."""
        if self.found:
            raise self.error()

    def error(self) -> ConfigError:
        """Return one error for all faults, in the order of their lines."""
        faults = sorted(dict.fromkeys(self.found), key=lambda fault: fault[0])
        next_step = join(step for _, _, step in faults) or advice.CORRECT_FILE(file=self.source)
        if len(faults) == 1:
            line, what, _ = faults[0]
            return ConfigError(what, where=f"{self.source}, line {line}" if line else self.source, next_step=next_step)
        listing = "".join(f"\n  line {line}: {what}" if line else f"\n  {what}" for line, what, _ in faults)
        return ConfigError(f"{len(faults)} faults{listing}", where=self.source, next_step=next_step)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Suggest the most similar known word as ``did you mean …?``, or list all if none is similar."""
    words = list(known)
    near = difflib.get_close_matches(word.lower().replace("_", "-"), words, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(words)}"


def read_table(kind: type[S], table: Table, path: Path, faults: Faults) -> S | None:
    """Read a declared table; ``None`` if anything in it is faulty."""
    before = len(faults.found)
    values = read_values(kind, table, path, faults)
    for key in fields_of(kind):
        if key.required and key.encode_name not in table:
            faults.add((*path, key.encode_name), f"missing: expected {describe_type(key.type)}")
    return kind(**values) if len(faults.found) == before else None


def read_values(kind: type[msgspec.Struct], table: Table, path: Path, faults: Faults) -> dict[str, Any]:
    """Return the valid keys, by field name, and add a fault for each of the others."""
    keys = {key.encode_name: key for key in fields_of(kind)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in keys:
            faults.add((*path, name), f"there is no such key; {suggestion(name, keys)}")
            continue
        rows = structs_in(keys[name].type)
        inner = struct_in(keys[name].type)
        if rows is not None:
            values[keys[name].name] = _read_rows(rows, value, (*path, name), faults)
        elif tables_in(keys[name].type) is not None:
            values[keys[name].name] = _read_named(keys[name].type, value, (*path, name), faults)
        elif inner is None:
            try:
                values[keys[name].name] = convert(value, keys[name].type, quotes=faults.quotes)
            except ValueError as error:
                faults.add((*path, name), str(error))
        elif isinstance(value, dict):
            values[keys[name].name] = read_table(inner, value, (*path, name), faults)
        else:
            faults.add((*path, name), f"expected a table, got {describe_value(value, quotes=faults.quotes)}")
    return values


def _read_rows(kind: type[msgspec.Struct], value: object, path: Path, faults: Faults) -> tuple[msgspec.Struct, ...]:
    """Read the tables of an array, without the faulty ones."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        faults.add(path, f"expected tables, [[{path[-1]}]], got {describe_value(value, quotes=faults.quotes)}")
        return ()
    read = (read_table(kind, row, (*path, str(number)), faults) for number, row in enumerate(value, 1))
    return tuple(row for row in read if row is not None)


def _read_named(kind: Any, value: object, path: Path, faults: Faults) -> dict[str, msgspec.Struct]:
    """Read the tables of a table with any names, without the faulty ones."""
    if not isinstance(value, dict):
        faults.add(path, f"expected tables, [{path[-1]}.NAME], got {describe_value(value, quotes=faults.quotes)}")
        return {}
    of_name, inner = get_args(split_annotated(kind)[0])
    read: dict[str, msgspec.Struct] = {}
    for name, table in value.items():
        try:
            convert(name, of_name, quotes=faults.quotes)
        except ValueError as error:
            faults.add((*path, name), str(error))
            continue
        if not isinstance(table, dict):
            faults.add((*path, name), f"expected a table, got {describe_value(table, quotes=faults.quotes)}")
        elif (row := read_table(inner, table, (*path, name), faults)) is not None:
            read[name] = row
    return read


def convert(value: object, kind: Any, *, loose: bool = False, quotes: bool = True) -> Any:
    """Convert one value to its declared type. Raises ``ValueError`` with the expected and the given value.

    ``loose`` also accepts numbers as text, for the environment.
    """
    base, metas = split_annotated(kind)
    converted: Any
    if get_origin(base) is tuple and isinstance(value, list | tuple):
        converted = tuple(_item(number, item, get_args(base)[0], quotes=quotes) for number, item in enumerate(value, 1))
    elif get_origin(base) is dict and isinstance(value, dict):
        converted = dict(_entry(key, item, base, quotes=quotes) for key, item in value.items())
    elif base is Secret:
        if not isinstance(value, str):
            raise ValueError(f"expected text, got {describe_value(value)}")
        converted = value
    else:
        try:
            converted = msgspec.convert(value, kind, strict=not loose)
        except msgspec.ValidationError:
            near = suggestion(value, get_args(base)) if isinstance(value, str) and get_origin(base) is Literal else ""
            hint = f"; {near}" if near.startswith("did") else ""
            raise ValueError(
                f"expected {describe_type(kind)}, got {describe_value(value, quotes=quotes)}{hint}"
            ) from None
    for meta in metas:
        converted = (meta.extra or {}).get("check", _identity)(converted)
    return Secret(converted) if base is Secret else converted


def _identity(value: Any) -> Any:
    return value


def _item(number: int, value: object, kind: Any, *, quotes: bool) -> Any:
    try:
        return convert(value, kind, quotes=quotes)
    except ValueError as error:
        raise ValueError(f"item {number}: {error}") from None


def _entry(key: str, value: object, base: Any, *, quotes: bool) -> tuple[Any, Any]:
    """One key of a table with any keys, and its value."""
    of_key, of_value = get_args(base)
    name = convert(key, of_key, quotes=quotes)
    try:
        return name, convert(value, of_value, quotes=quotes)
    except ValueError as error:
        raise ValueError(f"{clean(key, 60)}: {error}") from None


def refuse_near_misses(document: TomlDocument, tools: Mapping[str, object]) -> None:
    """Refuse a misspelled ``[tool.unmoor]``, which would be ignored silently. Raises `ConfigError`."""
    faults = Faults(document.source, document.line_of)
    for name in difflib.get_close_matches("unmoor", [name for name in tools if name != "unmoor"], cutoff=0.8):
        faults.add(("tool", name), 'there is no such table; did you mean "tool.unmoor"?')
    faults.stop()
