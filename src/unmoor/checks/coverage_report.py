"""Read a report of coverage.py: Cobertura's XML, as ``coverage xml`` and pytest-cov write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from unmoor.util.xml_events import read_events

LARGEST: Final = 200_000_000
"""Bytes of the largest report that is read."""
_MOST_LINES: Final = 20_000_000
_LONGEST: Final = 4000
_COUNT: Final = re.compile(r"[0-9]{1,12}")
_TIME: Final = re.compile(r"[0-9]{1,15}")
_BRANCHES: Final = re.compile(r"[0-9]{1,3}% \(([0-9]{1,9})/([0-9]{1,9})\)")
_MILLISECONDS: Final = 1000


class MeasuredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the report names it, and for each line that can run whether it did. Lines count from 1."""

    name: str
    lines: Mapping[int, bool]


class CoverageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says. ``sources`` are the folders that the names of files are relative to.

    ``written`` is its time in seconds since 1970, 0 if it does not say. The four numbers are those of all files
    together, and can be more than the listed files have: coverage.py lists one of several files of the same name.
    """

    files: tuple[MeasuredFile, ...]
    sources: tuple[str, ...] = ()
    written: float = 0.0
    lines: int = 0
    covered_lines: int = 0
    branches: int = 0
    covered_branches: int = 0

    @property
    def percentage(self) -> float:
        """The share of lines and branches that ran, as coverage.py adds them up; 0 if there are none."""
        return share(self.covered_lines + self.covered_branches, self.lines + self.branches)

    @property
    def lists_all(self) -> bool:
        """Whether the listed files have all lines that the report counts."""
        return sum(len(each.lines) for each in self.files) == self.lines


def share(part: int, whole: int) -> float:
    """Return a percentage; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def read_report(path: Path) -> CoverageReport:
    """Read a report. Raises `ValueError` if it is no report, is too large or contradicts itself, `OSError`."""
    reader = _Reader()
    read_events(path, start=reader.start, end=reader.end, text=reader.text, largest=LARGEST)
    return reader.report()


@dataclass(kw_only=True)
class _Reader:
    """Collects what expat finds."""

    stack: list[str] = field(default_factory=list)
    root: Mapping[str, str] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    source: str = ""
    files: dict[str, dict[int, bool]] = field(default_factory=dict)
    lines: dict[int, bool] = field(default_factory=dict)
    branches: int = 0
    covered_branches: int = 0
    count: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Read the attributes of an element."""
        if not self.stack:
            if name != "coverage" or "line-rate" not in attributes:
                _refuse("it is no report of coverage.py in XML (coverage xml)")
            self.root = attributes
        elif name == "source":
            self.source = ""
        elif name == "class":
            file = attributes.get("filename", "")
            if not file or len(file) > _LONGEST or not file.isprintable():
                _refuse("it lists a file without a readable name")
            self.lines = self.files.setdefault(file, {})
        elif name == "line" and self.stack[-2:] == ["class", "lines"]:
            self._line(attributes)
        self.stack.append(name)

    def end(self, name: str) -> None:
        """Keep a folder that is complete."""
        self.stack.pop()
        if name == "source" and self.source.strip():
            self.sources.append(self.source.strip())

    def text(self, data: str) -> None:
        """Read the path of a folder."""
        if self.stack and self.stack[-1] == "source" and len(self.source) <= _LONGEST:
            self.source += data

    def _line(self, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > _MOST_LINES:
            _refuse(f"it lists more than {_MOST_LINES:,} lines")
        number = _number(attributes, "number")
        self.lines[number] = self.lines.get(number, False) or _number(attributes, "hits") > 0
        if (branches := _BRANCHES.fullmatch(attributes.get("condition-coverage", ""))) is not None:
            self.covered_branches += int(branches[1])
            self.branches += int(branches[2])

    def report(self) -> CoverageReport:
        """Return the report. Raises `ValueError` if its numbers cannot be true."""
        listed = [line for lines in self.files.values() for line in lines.values()]
        given = {name: _number(self.root, name) for name in _TOTALS if name in self.root}
        found = dict(zip(_TOTALS, (len(listed), sum(listed), self.branches, self.covered_branches), strict=True))
        for name in _TOTALS:
            if name in given and given[name] < found[name]:
                _refuse(f"it says {name} {given[name]}, but lists {found[name]}")
        lines, covered, branches, covered_branches = ((found | given)[name] for name in _TOTALS)
        if covered > lines or covered_branches > branches:
            _refuse(f"it says that {covered} of {lines} lines and {covered_branches} of {branches} branches ran")
        time = self.root.get("timestamp", "")
        return CoverageReport(
            files=tuple(MeasuredFile(name=name, lines=lines) for name, lines in self.files.items()),
            sources=tuple(self.sources),
            written=int(time) / _MILLISECONDS if _TIME.fullmatch(time) else 0.0,
            lines=lines,
            covered_lines=covered,
            branches=branches,
            covered_branches=covered_branches,
        )


_TOTALS: Final = ("lines-valid", "lines-covered", "branches-valid", "branches-covered")


def _number(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "")
    if not _COUNT.fullmatch(text):
        _refuse(f"its {name} {text[:40]!a} is no number")
    return int(text)


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
