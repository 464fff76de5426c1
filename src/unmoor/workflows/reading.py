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
from unmoor.util.text import clean
from unmoor.workflows.steps import MARK

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

LARGEST = 512 * 1024
"""GitHub takes no larger file; in bytes."""
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


class JobText(msgspec.Struct, frozen=True):
    """The lines of one job, with the comments and blank lines above it.

    ``uses_others`` is true if an alias in it names an anchor of another part of the file.
    """

    id: str
    text: str
    uses_others: bool = False


class WorkflowFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with YAML. ``text`` has LF at the end of its lines; ``crlf`` says that the file has CRLF."""

    path: str
    text: str
    value: YamlMap
    jobs: tuple[JobText, ...]
    crlf: bool

    @property
    def is_ours(self) -> bool:
        """Whether unmoor wrote it."""
        return self.text.partition("\n")[0].rstrip() == f"# {MARK}"

    def comment_on(self, line: int) -> str:
        """The comment at the end of a line, which counts from 1."""
        lines = self.text.split("\n")
        return lines[line - 1].rpartition(" #")[2].strip() if " #" in lines[line - 1] else ""


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
    return WorkflowFile(path=path, text=plain, value=value, jobs=tuple(_jobs(plain, node, value)), crlf="\r\n" in text)


def _compose(path: str, text: str) -> Node | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
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


_ANCHOR = re.compile(r"(?:^|[\s\[{,:-])([&*])([A-Za-z0-9_-]+)(?=$|[\s,\]}])")


def _jobs(text: str, node: Node | None, value: YamlMap) -> Iterator[JobText]:
    """Yield the lines of each job of a file in block style, which is the only one that can be taken apart."""
    jobs = value.pairs.get("jobs")
    if not isinstance(jobs, YamlMap) or node is None:
        return
    lines = text.splitlines(keepends=True)
    begin = value.lines["jobs"]  # the index of the line after `jobs:`
    later = [line for line in value.lines.values() if line > value.lines["jobs"]]
    end = _above(lines, min(later) - 1, begin) if later else len(lines)
    starts = [_above(lines, jobs.lines[id_] - 1, begin) for id_ in jobs.pairs]
    for id_, first, after in zip(jobs.pairs, starts, [*starts[1:], end], strict=True):
        part = "".join(lines[first:after])
        found = _ANCHOR.findall(part)
        own = {name for kind, name in found if kind == "&"}
        yield JobText(id_, part, any(kind == "*" and name not in own for kind, name in found))


def _above(lines: list[str], line: int, least: int) -> int:
    """The first of the comments and blank lines that stand above a line, both counted from 0."""
    while line > least and (not lines[line - 1].strip() or lines[line - 1].lstrip().startswith("#")):
        line -= 1
    return line
