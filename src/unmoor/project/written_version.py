"""Find the one place where a project writes its version, without running code, and replace the version there.

In TOML and in ``setup.cfg`` a place is confirmed by a trial: if the text is changed there, the parsed value must
change, too. In Python the syntax tree gives the place.
"""

from __future__ import annotations

import ast
import configparser
import re
import warnings
from collections.abc import Callable
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.util.decode import decode_toml, read_ini
from unmoor.util.text import clean

_SENTINEL: Final = "987654321.0.dev"
# A project's own pattern is applied to at most this many characters, and for this many seconds of CPU time.
_MAX_CHARACTERS: Final = 200_000
_MAX_SECONDS: Final = 1.0
_MAX_PATTERN: Final = 1_000


class WrittenVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as written in a file. ``line`` counts from 1, ``column`` in bytes from 0; ``text`` has no quotes."""

    path: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{clean(self.path)}, line {self.line}"


class VersionElsewhere(msgspec.Struct, frozen=True):
    """The value is imported as ``name`` from another module: ``level`` dots (0 if absolute), then ``module``."""

    level: int
    module: str
    name: str


def with_version(content: bytes, written: WrittenVersion, new: str) -> bytes:
    """Return the content with the version replaced at exactly that place. Every other byte stays.

    Raises `ConfigError` if the content does not have the version there.
    """
    lines = content.splitlines(keepends=True)
    old = _bytes(written.text)
    end = written.column + len(old)
    line = lines[written.line - 1] if written.line <= len(lines) else b""
    if line[written.column : end] != old:
        raise ConfigError(
            f"the version {clean(written.text, 60)} is no longer written here",
            where=str(written),
            retryable=True,
        )
    lines[written.line - 1] = line[: written.column] + new.encode("ascii") + line[end:]
    return b"".join(lines)


def in_toml(content: bytes, path: str, keys: tuple[str, ...], value: str) -> WrittenVersion:
    """Find the string at ``keys`` of a TOML file. Raises `ConfigError` if it is written with escapes."""

    def reads(changed: str) -> object:
        found: object = decode_toml(changed)
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    text = _text(content)
    places = re.finditer(rf"(?<=[\"']){re.escape(value)}(?=[\"'])", text)
    written = _find_by_change(text, path, value, places=[place.start() for place in places], reads=reads)
    if written is None:
        raise ConfigError(
            f"the version {clean(value, 60)!r} is not written as plain text",
            where=f"{clean(path)}, {'.'.join(keys)}",
            next_step=advice.WRITE_PLAIN_VERSION(),
        )
    return written


def in_cfg(content: bytes, path: str, value: str) -> WrittenVersion | None:
    """Find ``version`` of ``[metadata]`` in a ``setup.cfg``."""
    return in_ini(content, path, value, section="metadata", option="version")


def in_ini(content: bytes, path: str, value: str, *, section: str, option: str) -> WrittenVersion | None:
    """Find the value of an option in a file in the form of ``setup.cfg``."""

    def reads(changed: str) -> object:
        return cfg(changed).get(section, option, fallback=None)

    text = _text(content)
    places = re.finditer(rf"(?im)^[ \t]*{re.escape(option)}[ \t]*[=:]\s*({re.escape(value)})[ \t]*$", text)
    return _find_by_change(text, path, value, places=[place.start(1) for place in places], reads=reads)


def cfg(text: str) -> configparser.RawConfigParser:
    """Parse ``setup.cfg``. Raises ``configparser.Error``."""
    parser = configparser.RawConfigParser()
    read_ini(parser, text)
    return parser


def by_pattern(content: bytes, path: str, pattern: str) -> WrittenVersion | None:
    """Find the group ``version`` of a regular expression (else the first group), as hatchling does.

    Unlike ``re``, the library ``regex`` has a time limit, which the pattern of a project needs. Raises `ConfigError`
    if the pattern is invalid or takes too long.
    """
    import regex

    text = _text(content)[:_MAX_CHARACTERS]
    try:
        if len(pattern) > _MAX_PATTERN:
            raise _invalid_pattern(path, f"it has more than {_MAX_PATTERN:,} characters")
        match = regex.search(pattern, text, flags=regex.V0 | regex.MULTILINE, timeout=_MAX_SECONDS)
        group = "version" if match is not None and "version" in match.groupdict() else 1
        start = match.start(group) if match is not None else -1
        return _at(text, path, start, match[group]) if match is not None and start >= 0 and match[group] else None
    except (regex.error, IndexError) as error:
        raise _invalid_pattern(path, clean(str(error))) from error
    except RecursionError as error:
        raise _invalid_pattern(path, "its groups are nested too deeply") from error
    except TimeoutError as error:
        raise _invalid_pattern(path, f"it takes longer than {_MAX_SECONDS:g} s") from error


def _invalid_pattern(path: str, why: str) -> ConfigError:
    return ConfigError(
        f"the pattern to find the version is invalid: {why}",
        where=path,
        next_step=advice.CORRECT_VERSION_PATTERN(),
    )


def whole_file(content: bytes, path: str) -> WrittenVersion | None:
    """Find the version in a file that contains nothing else."""
    text = _text(content)
    value = text.strip()
    return _at(text, path, text.index(value), value) if value and not re.search(r"\s", value) else None


def tree_of(content: bytes) -> ast.Module | None:
    """Parse Python code. Returns ``None`` if it is invalid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def in_python(content: bytes, path: str, name: str) -> WrittenVersion | VersionElsewhere | None:
    """Find the literal that a module assigns to a name, or where the module imports it from."""
    tree = tree_of(content)
    return None if tree is None else _assigned(tree, content, path, name, follow=2)


def of_node(tree: ast.Module, content: bytes, path: str, node: ast.expr) -> WrittenVersion | VersionElsewhere | None:
    """Find the literal that an expression stands for, directly or by a variable, or the module that has it."""
    if isinstance(node, ast.Name):
        return _assigned(tree, content, path, node.id, follow=1)
    if isinstance(node, ast.Attribute):
        return _of_module(tree, node)
    return _literal(content, path, node)


def _of_module(tree: ast.Module, node: ast.Attribute) -> VersionElsewhere | None:
    """Where the value of ``module.name`` is, if the file imports that module (also as ``from a import b as c``)."""
    owner = _dotted(node.value)
    for statement in tree.body:
        match statement:
            case ast.Import(names=names):
                known = {alias.asname or alias.name: alias.name for alias in names}
            case ast.ImportFrom(module=str(package), names=names, level=0):
                known = {alias.asname or alias.name: f"{package}.{alias.name}" for alias in names}
            case _:
                continue
        if owner in known:
            return VersionElsewhere(0, known[owner], node.attr)
    return None


def _dotted(node: ast.expr) -> str:
    """The dotted name that an expression consists of, empty for any other. Not `ast.unparse`, which is recursive."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _assigned(
    tree: ast.Module, content: bytes, path: str, name: str, *, follow: int
) -> WrittenVersion | VersionElsewhere | None:
    for statement in reversed(tree.body):
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return VersionElsewhere(statement.level, statement.module or "", alias.name)
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        if not any(isinstance(target, ast.Name) and target.id == name for target in targets):
            continue
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Name) and follow:
            return _assigned(tree, content, path, value.id, follow=follow - 1)
        return _literal(content, path, value)
    return None


def _literal(content: bytes, path: str, node: ast.expr | None) -> WrittenVersion | None:
    """The place of a string literal that is on one line and has no escapes."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node.end_lineno != node.lineno:
        return None
    lines = content.splitlines()
    if node.lineno > len(lines):
        return None
    shift = 3 if node.lineno == 1 and content.startswith(b"\xef\xbb\xbf") else 0
    start, end = node.col_offset + shift, (node.end_col_offset or 0) + shift
    value = node.value.encode(errors="replace")
    segment = lines[node.lineno - 1][start:end]
    if not value or segment.count(value) != 1:
        return None
    return WrittenVersion(path=path, line=node.lineno, column=start + segment.index(value), text=node.value)


def _find_by_change(
    text: str, path: str, value: str, *, places: list[int], reads: Callable[[str], object]
) -> WrittenVersion | None:
    """The one of the places where a changed text changes the parsed value.

    All places get another text each, so that a file with thousands of them is parsed once.
    """
    pieces, last = [], 0
    for index, place in enumerate(places):
        pieces += [text[last:place], f"{_SENTINEL}{index}"]
        last = place + len(value)
    try:
        read = reads("".join([*pieces, text[last:]]))
    except (ValueError, configparser.Error):
        return None
    number = read.removeprefix(_SENTINEL) if isinstance(read, str) and read.startswith(_SENTINEL) else ""
    return _at(text, path, places[int(number)], value) if number.isdecimal() else None


def _at(text: str, path: str, offset: int, value: str) -> WrittenVersion:
    """Convert an offset in a text to line and column."""
    before = _bytes(text[:offset])
    lines = before.splitlines(keepends=True)
    if not lines or lines[-1].endswith((b"\n", b"\r")):
        lines.append(b"")
    return WrittenVersion(path=path, line=len(lines), column=len(lines[-1]), text=value)


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
