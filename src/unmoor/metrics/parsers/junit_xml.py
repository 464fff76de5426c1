"""Results of tests in JUnit's XML, as pytest and most other test runners write it.

The format has no standard. Only what all writers agree on is read: cases with a failure, an error or neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from unmoor.metrics.parsers.model import LARGEST, Measured, ParsedFigures, moment, short
from unmoor.metrics.records import TestsRecord
from unmoor.util.xml_events import read_events

_DEEPEST: Final = 100
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")
# Names that say nothing about the suite: the file's own name says more.
_GENERIC: Final = frozenset({"", "pytest", "pytest tests", "jest tests", "mocha tests", "vitest tests", "tests"})
_FAILED: Final = frozenset({"failure", "error"})


def parse(path: Path, measured: Measured) -> ParsedFigures:
    """Count the results of a file. Raises `ValueError` if it is none, `OSError`."""
    reader = _Reader()
    read_events(path, start=reader.start, end=reader.end, largest=LARGEST)
    return ParsedFigures(records=(reader.record(measured),))


@dataclass(kw_only=True)
class _Reader:
    """Counts what expat finds."""

    stack: list[str] = field(default_factory=list)
    root: str = ""
    suites: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    reported: float = 0.0
    summed: float = 0.0
    results: dict[str, int] = field(default_factory=lambda: {"passed": 0, "failed": 0, "skipped": 0})
    case: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Read an element."""
        if not self.stack:
            if name not in {"testsuite", "testsuites"}:
                _refuse("it has no results of tests")
            self.root = attributes.get("name", "")
        if len(self.stack) >= _DEEPEST:
            _refuse("its elements are nested too deeply")
        if name == "testsuite" and self.stack in ([], ["testsuites"]):
            self.suites.append(attributes.get("name", ""))
            self.begun.append(attributes.get("timestamp", ""))
            self.reported += _seconds(attributes)
        elif name == "testcase" and self.stack[-1:] == ["testsuite"]:
            self.case = "passed"
            self.summed += _seconds(attributes)
        elif self.stack[-1:] == ["testcase"]:
            # A case with an error in its teardown has both, and an error counts for more.
            if name in _FAILED:
                self.case = "failed"
            elif name == "skipped" and self.case == "passed":
                self.case = "skipped"
        self.stack.append(name)

    def end(self, name: str) -> None:
        """Count a case that is complete."""
        self.stack.pop()
        if name == "testcase" and self.case:
            self.results[self.case] += 1
            self.case = ""

    def record(self, measured: Measured) -> TestsRecord:
        """Return the counts. Raises `ValueError` if there was no test."""
        if not sum(self.results.values()):
            _refuse("it has no test")
        name = self.suites[0] if len(self.suites) == 1 else self.root
        begun = [at for text in self.begun if (at := moment(text, _NEVER)) != _NEVER]
        return TestsRecord(
            commit=measured.commit_or(""),
            at=min(begun, default=measured.now),
            suite=short(name if name.lower() not in _GENERIC else measured.stem, "tests"),
            seconds=self.reported or self.summed,
            **self.results,
        )


_NEVER: Final = datetime(1, 1, 2, tzinfo=UTC)


def _seconds(attributes: Mapping[str, str]) -> float:
    text = attributes.get("time", "").replace(",", "")  # as some write thousands
    return float(text) if _SECONDS.fullmatch(text) else 0.0


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
