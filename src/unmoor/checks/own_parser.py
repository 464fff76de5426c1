"""Python's own parser, for machines without ruff. It sees less, and says what."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.checks import parse_files
from unmoor.checks.python_sources import Parsed, PythonSource, SourceFault
from unmoor.errors import Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports import child
from unmoor.ports.shell import Shell
from unmoor.util.concurrency import run_parallel
from unmoor.util.decode import decode_json

RUNNING: Final = sys.version_info.minor
"""The minor version of the Python that parses."""
# Bytes that take as long to parse as a process takes to start, several times.
_WORTH_A_PROCESS: Final = 400_000
# So much is parsed before a process has started. It is too little to end a parser.
_PARSED_HERE: Final = 100_000


def parse(sources: Sequence[PythonSource], minor: int | None, shell: Shell) -> Parsed:
    """Parse files as Python 3.``minor``, in processes of their own unless they are small.

    Without ``minor`` they are parsed as the Python that runs.

    Raises `Unknown` if the parser crashes, needs too much time or memory, or is older than what it should judge.
    """
    version = minor if minor is not None and minor < RUNNING else None
    small = sum(len(each.text) for each in sources) <= _PARSED_HERE
    found = _parse_here(sources, version) if small else _parse_apart(sources, version, shell)
    if found and minor is not None and minor > RUNNING:
        raise Unknown(
            f"Python 3.{RUNNING}, which runs unmoor, does not accept {found[0].path}, but the project needs 3.{minor};"
            " ruff, if it is installed, can tell",
            retryable=False,
            next_step=advice.LET_CHECK_READ(),
        )
    return Parsed(faults=tuple(sorted(found, key=lambda each: each.path)), unseen=_unseen(version))


def _unseen(minor: int | None) -> str:
    if minor is None:
        return ""
    return (
        f"the parser of Python 3.{RUNNING} takes some syntax for 3.{minor} that is newer, such as a starred index"
        " (a[*b]); ruff, if it is installed, sees it"
    )


def _parse_here(sources: Sequence[PythonSource], minor: int | None) -> list[SourceFault]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ((each.path, parse_files.judge(each.text, minor)) for each in sources)
        return [_fault(path, *wrong) for path, wrong in found if wrong is not None]


def _parse_apart(sources: Sequence[PythonSource], minor: int | None, shell: Shell) -> list[SourceFault]:
    """Parse in processes of their own, side by side. Raises `Unknown`."""
    size = sum(len(each.text) for each in sources)
    width = max(1, min(os.cpu_count() or 1, size // _WORTH_A_PROCESS, len(sources)))
    found: list[SourceFault] = []
    with temporary_folder() as folder:

        def work(first: int) -> None:
            found.extend(_run(sources[first::width], minor, folder / f"{first}.sources", shell))

        for failure in run_parallel(range(width), work, width=width):
            raise failure
    return found


def _run(sources: Sequence[PythonSource], minor: int | None, file: Path, shell: Shell) -> list[SourceFault]:
    with file.open("wb") as stream:
        parse_files.write((each.text for each in sources), stream)
    program = Path(parse_files.__file__).read_text("utf-8")
    try:
        ran = child.run(shell, program, [str(file), "" if minor is None else str(minor)], cwd=file.parent)
    except child.BeyondLimits as error:
        raise Unknown(
            f"the files cannot be parsed: {error}", retryable=False, next_step=advice.LET_CHECK_READ()
        ) from error
    if ran.code != 0:
        raise Unknown(
            f"the parser of Python failed: {child.last_line(ran)}", retryable=False, next_step=advice.LET_CHECK_READ()
        )
    try:
        answers = decode_json(ran.out, list[tuple[int, int, str, bool]])
        return [_fault(sources[number].path, line, what, newer) for number, line, what, newer in answers]
    except (ValueError, IndexError) as error:
        raise Unknown(
            f"the parser of Python gave no answer: {error}", retryable=False, next_step=advice.LET_CHECK_READ()
        ) from error


def _fault(path: str, line: int, what: str, newer: bool) -> SourceFault:  # noqa: FBT001 - as the program gives them
    return SourceFault(path=path, what=what, line=line, is_newer=newer)
