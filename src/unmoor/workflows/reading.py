"""Read a workflow file as it is: its values with their lines, and the lines of each job.

Nothing is constructed from the YAML: every scalar stays a text, ``on`` too, as in `provenance.release_workflow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from unmoor import advice
from unmoor.errors import Refused
from unmoor.provenance.release_workflow import LARGEST
from unmoor.util.text import clean
from unmoor.workflows.steps import MARK

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

_DEEPEST = 100
_MOST = 50_000
_BOM = "\ufeff"


class YamlText(msgspec.Struct, frozen=True):
    """A scalar, and its line from 1."""

    text: str
    line: int


class YamlList(msgspec.Struct, frozen=True):
    """A list, and its line from 1."""

    items: tuple[YamlValue, ...]
    line: int


class YamlMap(msgspec.Struct, frozen=True):
    """A mapping, its line from 1, and the lines of its keys."""

    pairs: Mapping[str, YamlValue]
    line: int
    lines: Mapping[str, int]


YamlValue: TypeAlias = YamlText | YamlList | YamlMap


class JobText(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one job as they are in the file, with the comments and blank lines above it.

    ``indent`` is the number of spaces before its name. ``aliases`` are the jobs with an anchor that an alias in this
    one names; an empty text stands for an anchor outside of the jobs.
    """

    id: str
    text: str
    indent: int
    aliases: frozenset[str] = frozenset()


class WorkflowFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with YAML. ``text`` has LF at the end of its lines; ``crlf`` says that the first line has CRLF.

    ``jobs`` is empty if they are in flow style, so that they have no lines of their own.
    """

    path: str
    text: str
    value: YamlMap
    jobs: tuple[JobText, ...]
    crlf: bool

    def comment_on(self, line: int) -> str:
        """The comment at the end of a line, which counts from 1."""
        return _lines(self.text)[line - 1].partition(" #")[2].strip()


def is_ours(data: bytes) -> bool:
    """Whether unmoor wrote a file, by its first line."""
    first = data.removeprefix(_BOM.encode()).partition(b"\n")[0]
    return first.rstrip() == f"# {MARK}".encode()


def same_text(data: bytes, text: str) -> bool:
    """Whether a file has a text, whatever ends its lines."""
    return data.removeprefix(_BOM.encode()).replace(b"\r\n", b"\n") == text.encode()


def read_file(path: str, data: bytes) -> WorkflowFile:
    """Read a file of workflows or of Dependabot. Raises `Refused` with the line of what is wrong."""
    if len(data) > LARGEST:
        raise _unreadable(path, f"it has more than {LARGEST // 1024} kB, which GitHub does not read")
    try:
        text = data.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is not UTF-8: byte {error.start + 1}") from error
    plain = text.replace("\r\n", "\n")
    node = _compose(path, plain)
    value = _Reader(path).value(node, 0)
    if not isinstance(value, YamlMap):
        raise _unreadable(path, "it is not a mapping")
    crlf = "".join(_lines(text)[:1]).endswith("\r\n")
    return WorkflowFile(path=path, text=plain, value=value, jobs=tuple(_jobs(text, node, value)), crlf=crlf)


def _compose(path: str, text: str) -> Node | None:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    from unmoor.util.shallow_yaml import shallow_yaml

    try:
        node: Node | None = shallow_yaml().compose(text)
    except MarkedYAMLError as error:
        line = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else path
        raise _unreadable(line, f"it is not valid YAML: {error.problem or error.context}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise _unreadable(path, f"it is not valid YAML: {type(error).__name__}") from error
    return node


def _unreadable(where: str, why: str) -> Refused:
    return Refused(clean(why, limit=300), where=where, next_step=advice.CORRECT_WORKFLOW())


class _Reader:
    """Reads the values of one file. Aliases can make a short text stand for any number of them, so it counts."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = _MOST

    def value(self, node: Node | None, depth: int) -> YamlValue:
        """Read a value and what is in it. Raises `Refused`."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        self._left -= 1
        if self._left < 0:
            raise _unreadable(self._path, "its aliases stand for too many values")
        if depth > _DEEPEST:
            raise _unreadable(self._path, f"it is nested more than {_DEEPEST} deep")
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            items = tuple(self.value(each, depth + 1) for each in node.value)
            return YamlList(items, node.start_mark.line + 1)
        return YamlText(str(node.value), node.start_mark.line + 1) if isinstance(node, ScalarNode) else YamlText("", 1)

    def _mapping(self, node: MappingNode, depth: int) -> YamlMap:
        from ruamel.yaml.nodes import ScalarNode

        pairs: dict[str, YamlValue] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise _unreadable(f"{self._path}:{line}", "a key is not a text")
            if key.value in pairs:
                raise _unreadable(f"{self._path}:{line}", f"the key {clean(key.value, 60)!r} is there twice")
            pairs[key.value], lines[key.value] = self.value(value, depth + 1), line
        return YamlMap(pairs, node.start_mark.line + 1, lines)


# What ends a line in YAML 1.2, so that the parser's line numbers count here.
_LINE = re.compile(r"[^\n\r]*(?:\r\n|[\n\r])|[^\n\r]+")


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _jobs(text: str, node: Node | None, value: YamlMap) -> Iterator[JobText]:
    """Yield the lines of each job of a file in block style, which is the only one that can be taken apart."""
    from ruamel.yaml.nodes import MappingNode

    found = [each for key, each in node.value if key.value == "jobs"] if isinstance(node, MappingNode) else []
    if not found or not isinstance(found[0], MappingNode) or found[0].flow_style or not found[0].value:
        return
    lines = _lines(text)
    begin = value.lines["jobs"]  # the index of the line after `jobs:`
    later = [line for line in value.lines.values() if line > begin]
    end = _above(lines, min(later) - 1, begin) if later else len(lines)
    keys = [key for key, _ in found[0].value]
    starts = [_above(lines, key.start_mark.line, begin) for key in keys]
    parts = {key.value: range(*each) for key, *each in zip(keys, starts, [*starts[1:], end], strict=True)}
    for key, job in found[0].value:
        part = parts[key.value]
        aliases = frozenset(_owner(parts, line) for line in _lines_elsewhere(job, part, set()))
        text = "".join(lines[part.start : part.stop])
        yield JobText(id=key.value, text=text, indent=key.start_mark.column, aliases=aliases)


def _lines_elsewhere(node: Node, part: range, seen: set[int]) -> Iterator[int]:
    """Yield the lines of what aliases in a part of the file name in another one. Lines count from 0."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if node.start_mark.line not in part:
        yield node.start_mark.line
    elif isinstance(node.value, list):
        for each in node.value:
            for child in each if isinstance(each, tuple) else (each,):
                yield from _lines_elsewhere(child, part, seen)


def _owner(parts: Mapping[str, range], line: int) -> str:
    return next((id_ for id_, part in parts.items() if line in part), "")


def _above(lines: list[str], line: int, least: int) -> int:
    """The first of the comments and blank lines that stand above a line, both counted from 0."""
    while line > least and (not lines[line - 1].strip() or lines[line - 1].lstrip().startswith("#")):
        line -= 1
    return line
