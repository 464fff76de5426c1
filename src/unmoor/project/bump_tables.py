"""Read the table of bump-my-version, or of its forerunners: which files repeat the version, and how.

The table is in ``.bumpversion.toml``, ``pyproject.toml``, ``.bumpversion.cfg`` or ``setup.cfg``, the first one that has
it. Source: bump-my-version's reference of its configuration. What of it this module cannot do is refused, since a place
that is left out would say the old version.
"""

from __future__ import annotations

import configparser
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.project import written_version
from unmoor.project.files import Files, table
from unmoor.project.written_version import WrittenVersion
from unmoor.util.text import clean

_TOML: Final = (".bumpversion.toml", "pyproject.toml")
_INI: Final = (".bumpversion.cfg", "setup.cfg")
_SECTION: Final = "bumpversion"
_CURRENT, _NEW = "{current_version}", "{new_version}"
_CANNOT: Final = ("parse", "serialize", "key_path", "include_bumps", "exclude_bumps")
_MOST_FILES = 1000


class BumpPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Files to change: a name or a pattern, what is looked for there, and what replaces it."""

    filename: str
    search: str = _CURRENT
    replace: str = _NEW
    is_pattern: bool = False
    may_lack: bool = False


class BumpTable(msgspec.Struct, frozen=True, kw_only=True):
    """The table: its file, the place where it repeats the version itself, if it does, and its places."""

    file: str
    current: WrittenVersion | None
    places: tuple[BumpPlace, ...]


def read_table(files: Files) -> BumpTable | None:
    """Read the table, ``None`` if there is none. Raises `ConfigError` for what of it cannot be followed."""
    for name in _TOML:
        if files.read(name) is not None and (found := table(files.toml(name), "tool", _SECTION)):
            return _of_toml(files, name, found)
    for name in _INI:
        if (content := files.read(name)) is not None and (ini := _ini(content, name)).has_section(_SECTION):
            return _of_ini(content, name, ini)
    return None


def replaced(
    place: BumpPlace, files: Files, paths: Sequence[str], *, old: str, new: str, now: datetime, table: str
) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a place with its new content. Raises `ConfigError` if one lacks what is looked for."""
    names = [path for path in paths if fnmatchcase(path, place.filename)] if place.is_pattern else [place.filename]
    values = {"current_version": old, "new_version": new, "now": now, "utcnow": now}
    search, replace = (_filled(text, values, table) for text in (place.search, place.replace))
    for name in names[:_MOST_FILES]:
        content = files.read(name) if name in paths else None
        wanted, wants = search.encode(), replace.encode()
        if content is not None and b"\r\n" in content:
            wanted, wants = (data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for data in (wanted, wants))
        if content is not None and wanted in content:
            yield name, content.replace(wanted, wants)
        elif not place.may_lack:
            what = "is not in the repository" if content is None else f"does not contain {clean(search, 100)!r}"
            raise ConfigError(f"{clean(name)} {what}", where=table, next_step=advice.CORRECT_BUMP_TABLE())


def _of_toml(files: Files, name: str, found: Mapping[str, Any]) -> BumpTable:
    value = found.get("current_version")
    current = None
    if isinstance(value, str):
        keys = ("tool", _SECTION, "current_version")
        current = written_version.in_toml(files.read(name) or b"", name, keys, value)
    listed = found.get("files", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _cannot("files is not a list of tables", name)
    places = tuple(_place({**_defaults(found), **each}, name) for each in listed)
    return BumpTable(file=name, current=current, places=places)


def _of_ini(content: bytes, name: str, ini: configparser.RawConfigParser) -> BumpTable:
    value = ini.get(_SECTION, "current_version", fallback="")
    current = (
        written_version.in_ini(content, name, value, section=_SECTION, option="current_version") if value else None
    )
    defaults = _defaults(dict(ini.items(_SECTION)))
    sections = (each for each in ini.sections() if re.match(rf"{_SECTION}:(file|glob)\b", each))
    places = []
    for section in sections:
        _, kind, path = section.split(":", 2)
        filename = re.sub(r"^\([^)]*\)", "", path.strip()).strip()  # bumpversion:file (suffix):path
        key = "glob" if kind.startswith("glob") else "filename"
        places.append(_place({**defaults, **dict(ini.items(section)), key: filename}, name))
    return BumpTable(file=name, current=current, places=tuple(places))


def _defaults(found: Mapping[str, Any]) -> dict[str, Any]:
    """What every file inherits. The ways to write versions are refused only where a file has its own."""
    return {key: found[key] for key in ("search", "replace", "regex", "ignore_missing_version") if key in found}


def _place(entry: Mapping[str, Any], file: str) -> BumpPlace:
    if cannot := [key for key in _CANNOT if entry.get(key)]:
        raise _cannot(f"{cannot[0]} of a single file is not supported", file)
    if str(entry.get("regex", False)).lower() == "true":
        raise _cannot("regex is not supported", file)
    pattern, filename = entry.get("glob"), entry.get("filename")
    if not isinstance(pattern or filename, str):
        raise _cannot("an entry of files has neither filename nor glob", file)
    return BumpPlace(
        filename=str(pattern or filename),
        search=str(entry.get("search") or _CURRENT),
        replace=str(entry.get("replace") or _NEW),
        is_pattern=bool(pattern),
        may_lack=any(
            str(entry.get(key, False)).lower() == "true" for key in ("ignore_missing_version", "ignore_missing_file")
        ),
    )


def _filled(template: str, values: Mapping[str, object], file: str) -> str:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
        if unknown := [field for field in fields if field not in values]:
            raise _cannot(f"the field {clean(unknown[0], 60)!r} is not supported", file)
        return template.format_map(values)
    except (ValueError, TypeError) as error:
        raise _cannot(f"{clean(template, 100)!r} is not a template: {clean(str(error))}", file) from error


def _ini(content: bytes, name: str) -> configparser.RawConfigParser:
    try:
        return written_version.cfg(content.decode(errors="replace"))
    except configparser.Error as error:
        raise ConfigError(
            f"invalid configuration file: {clean(str(error))}", where=name, next_step=advice.CORRECT_FILE(file=name)
        ) from error


def _cannot(what: str, file: str) -> ConfigError:
    return ConfigError(f"the table of bump-my-version: {what}", where=file, next_step=advice.CORRECT_BUMP_TABLE())
