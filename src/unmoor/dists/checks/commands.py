"""Check entry_points.txt as PyPI reads it, as installers read it, and as they make commands of it.

PyPI reads it with ``configparser`` (warehouse/utils/wheel.py), and pip with ``importlib.metadata``, which knows neither
continuation lines nor comments that begin with a semicolon. pip then needs a callable for each command
(pip/_internal/operations/install/wheel.py, distlib's ``ENTRY_RE``).
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.entry_points import read_entry_points
from unmoor.errors import InvalidDist

if TYPE_CHECKING:
    import os
    from importlib.metadata import EntryPoint

POINTS = CheckRule(
    name="entry-points", refuses="entry points that configparser cannot read, or a command with an invalid name"
)
LINES = CheckRule(
    name="entry-points-lines",
    refuses="entry points with continuation lines, `;` comments or a DEFAULT section, which pip reads otherwise",
    by=By.INSTALLERS,
)
COMMAND = CheckRule(
    name="entry-points-command",
    refuses="a command called `.` or `..`, or without a callable (module:function)",
    by=By.INSTALLERS,
)
TARGET = CheckRule(
    name="entry-points-target", refuses="another entry point that names no module or object", by=By.UNMOOR
)
RULES = (POINTS, LINES, COMMAND, TARGET)

_GROUPS = ("console_scripts", "gui_scripts")
_NAME = re.compile(r"[\w.-]+")
_CALLABLE = re.compile(r"\w+(?:\.\w+)*:\w+(?:\.\w+)*(?:\s*\[\s*[\w-]+(?:=\w+)?(?:,\s*\w+(?:=\w+)?)*\s*\])?")


class _PointsOnly(importlib.metadata.Distribution):
    """A distribution that has only entry points, to read them as installers do."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        """Return the text of entry_points.txt, and of no other file."""
        return self._text if filename == "entry_points.txt" else None

    def locate_file(self, path: str | os.PathLike[str]) -> NoReturn:
        """Raise an error, since there are no files."""
        raise FileNotFoundError(path)


def check_entry_points(data: bytes) -> Iterator[Problem]:
    """Check the bytes of entry_points.txt."""
    try:
        points = read_entry_points(data)
    except InvalidDist as error:
        yield violation(POINTS, error.what)
        return
    for point in points:
        yield from _check_command(point) if point.group in _GROUPS else _check_target(point)
    if fault := _reading_fault(data.decode(), points):
        yield violation(LINES, f"pip reads its entry points otherwise than PyPI: {fault}")


def _check_command(point: EntryPoint) -> Iterator[Problem]:
    """Check the name of a command, because it becomes a file name, and what it calls."""
    if _NAME.fullmatch(point.name) is None:
        yield violation(POINTS, f"{point.name!r} in {point.group} is not a valid command name")
    elif point.name in {".", ".."}:
        yield violation(COMMAND, f"{point.name!r} in {point.group} is not the name of a file")
    if _CALLABLE.fullmatch(point.value) is None:
        yield violation(COMMAND, f"{point.name} = {point.value} in {point.group} is not module:function")


def _check_target(point: EntryPoint) -> Iterator[Problem]:
    if point.pattern.match(point.value) is None:
        yield violation(TARGET, f"{point.name} = {point.value} in {point.group} has no valid target")


def _reading_fault(text: str, points: Iterable[EntryPoint]) -> str:
    """Say how installers read the entry points otherwise. Empty if they do not."""
    expected = {(point.group, point.name, point.value) for point in points}
    try:
        found = {(point.group, point.name, point.value) for point in _PointsOnly(text).entry_points}
    except (TypeError, ValueError) as error:
        return f"a line is neither a section nor name = value ({error})"
    other = sorted(found ^ expected)
    return "" if not other else f"[{other[0][0]}] {other[0][1]} = {other[0][2]}"
