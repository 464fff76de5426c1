"""Read settings from each source: the project's files, the file of ``--config``, the environment, the command line.

Each function returns the values of one source by field name, each with its origin.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_origin

import msgspec

from unmoor import advice
from unmoor.config.config_file import ConfigFile, table_of
from unmoor.config.read_toml import Faults, TomlDocument, convert, parse, read_values, refuse_near_misses
from unmoor.config.type_names import fields_of, holds_tables, split_annotated
from unmoor.util.text import clean

PYPROJECT = "pyproject.toml"
OWN_FILE = "unmoor.toml"
PREFIX = "UNMOOR_"
_NEAR = 0.85  # one or two wrong letters, anywhere

Found = dict[str, tuple[Any, str]]


def variable_of(option: str) -> str:
    """The environment variable of an option: ``UNMOOR_TEST_COMMAND`` for ``test-command``."""
    return PREFIX + option.upper().replace("-", "_")


def from_files(kind: type[msgspec.Struct], read: Callable[[str], bytes | None], below: str) -> Found:
    """Read the file with the project's settings, if there is one."""
    here = f"{below}/" if below else ""
    named = [(name, parse(data, here + name)) for name in (PYPROJECT, OWN_FILE) if (data := read(name)) is not None]
    found: list[tuple[TomlDocument, tuple[str, ...], object]] = []
    for name, document in named:
        if name == OWN_FILE:
            found.append((document, (), document.table))
            continue
        tools = document.table.get("tool", {})
        if not isinstance(tools, dict):
            continue
        refuse_near_misses(document, tools)
        if "unmoor" in tools:
            found.append((document, ("tool", "unmoor"), tools["unmoor"]))
    if not found:
        return {}
    document, path, table = found[-1]
    faults = Faults(document.source, document.line_of)
    if len(found) > 1:
        faults.add((), f"settings are both here and in [tool.unmoor] of {PYPROJECT}", next_step=advice.KEEP_ONE_PLACE())
        faults.stop()
    return _read(kind, table, path, faults)


def from_config_file(kind: type[msgspec.Struct], config: ConfigFile) -> Found:
    """Read the file of ``--config``: a pyproject.toml, or a file with the keys of unmoor.toml."""
    document, path, table = table_of(config, PYPROJECT)
    return _read(kind, table, path, Faults(document.source, document.line_of))


def _read(kind: type[msgspec.Struct], table: object, path: tuple[str, ...], faults: Faults) -> Found:
    if not isinstance(table, dict):
        faults.add(path, "expected a table")
        faults.stop()
        return {}
    values = read_values(kind, table, path, faults)
    faults.stop()
    names = {field.name: field.encode_name for field in fields_of(kind)}
    return {name: (value, f"{faults.source}: {'.'.join((*path, names[name]))}") for name, value in values.items()}


def from_environ(kind: type[msgspec.Struct], environ: Mapping[str, str]) -> Found:
    """Read the environment variables of options. Numbers are text, lists and tables have one item a line."""
    faults = Faults("the environment")
    values: Found = {}
    options = {variable_of(field.encode_name): field for field in fields_of(kind) if not holds_tables(field.type)}
    _refuse_misspelt(options, environ, faults)
    for variable, field in options.items():
        if not (text := environ.get(variable, "")):
            continue
        base = get_args(field.type)[0]
        try:
            value = _from_text(text, base)
            values[field.name] = (convert(value, field.type, loose=True), f"environment: {variable}")
        except ValueError as error:
            faults.add((variable,), str(error))
    faults.stop()
    return values


def _from_text(text: str, base: Any) -> object:
    """The value of a variable for a type: a line of a table is ``KEY = VALUE``, with commas in a list."""
    lines = [item.strip() for item in text.split("\n") if item.strip()]
    if get_origin(base) is tuple:
        return lines
    if get_origin(base) is not dict:
        return text
    pairs = [line.partition("=") for line in lines]
    if bad := next((key for key, equals, _ in pairs if not equals), None):
        raise ValueError(f'expected lines of KEY = VALUE, got "{clean(bad, 60)}"')
    of_lists = get_origin(split_annotated(get_args(base)[1])[0]) is tuple
    return {
        key.strip(): [item.strip() for item in value.split(",")] if of_lists else value.strip()
        for key, _, value in pairs
    }


def _refuse_misspelt(options: Iterable[str], environ: Mapping[str, str], faults: Faults) -> None:
    """Refuse a variable that is probably a misspelled option, which would be ignored silently.

    Ignores other variables with the prefix: credentials have it, too, and a world file may name any variable.
    """
    known = [each.removeprefix(PREFIX) for each in options]
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX)
        if not value or name == variable or name in known or name.endswith(("_USERNAME", "_PASSWORD")):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
        if near:
            faults.add((variable,), f'there is no such setting; did you mean "{PREFIX}{near[0]}"?')


def from_command_line(kind: type[msgspec.Struct], given: Mapping[str, object]) -> Found:
    """Read the options of the command line."""
    values = _read(kind, dict(given), (), Faults("the command line"))
    return {name: (value, "command line") for name, (value, _) in values.items()}
