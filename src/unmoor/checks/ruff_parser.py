"""ruff's parser, which knows the syntax of each version of Python.

Nothing of the project decides what it looks at: the files are in a folder of ours under names
of ours, and no settings count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.checks.python_sources import PythonSource, SourceFault, write_numbered
from unmoor.errors import Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.user_programs import UserPrograms
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_PATIENCE: Final = 60.0
_LIMIT: Final = 50_000_000
# What ruff must report, or else it looked at nothing, or not at the version.
_BROKEN: Final = ("broken.py", b"x = (\n")
_NEWER: Final = ("newer.py", b"type X = int\n")
_FIRST_WITH_TYPE: Final = 12
_IS_NEWER: Final = re.compile(r" on Python 3\.[0-9]+ ")
_SKIPPED: Final = re.compile(r"^warning: Failed to .*$", re.MULTILINE)


class _Place(msgspec.Struct, frozen=True):
    row: int


class _Diagnostic(msgspec.Struct, frozen=True):
    """One syntax error, as ruff writes it."""

    filename: str
    message: str
    location: _Place | None = None


def parse(sources: Sequence[PythonSource], minor: int, programs: UserPrograms) -> tuple[SourceFault, ...] | None:
    """Parse files as Python 3.``minor``, the first fault of each. ``None`` if this ruff does not look at the version.

    Raises `Unknown` if it fails, or prints what is no answer.
    """
    canaries = (_BROKEN, _NEWER) if minor < _FIRST_WITH_TYPE else (_BROKEN,)
    with temporary_folder() as folder:
        write_numbered(sources, folder)
        for name, content in canaries:
            (folder / name).write_bytes(content)
        found = _run(folder, minor, programs)
    if _BROKEN[0] not in found:
        raise _no_answer("it accepts a file that is no Python")
    if len(canaries) > 1 and _NEWER[0] not in found:
        return None
    faults = []
    for name, each in found.items():
        number = name.removesuffix(".py")
        if not number.isdecimal():
            continue
        if int(number) >= len(sources):
            raise _no_answer(f"it names a file {clean(name, 60)}")
        faults.append(
            SourceFault(
                path=sources[int(number)].path,
                what=clean(each.message),
                line=each.location.row if each.location else 0,
                is_newer=bool(_IS_NEWER.search(each.message)),
            )
        )
    return tuple(sorted(faults, key=lambda each: each.path))


def _run(folder: Path, minor: int, programs: UserPrograms) -> dict[str, _Diagnostic]:
    """Run ruff without any rule, so that only syntax errors are left. Return the first of each file, by its name."""
    command = ["ruff", "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--ignore", "ALL"]
    options = ["--target-version", f"py3{minor}", "--output-format", "json", "."]
    ran = programs.run([*command, *options], cwd=folder, patience=_PATIENCE, limit=_LIMIT)
    if ran.code not in {0, 1}:
        raise _no_answer(clean((ran.err or ran.out).strip().partition("\n")[0]))
    if skipped := _SKIPPED.search(ran.err):
        raise _no_answer(clean(skipped[0]))
    try:
        diagnostics = decode_json(ran.out, list[_Diagnostic])
    except ValueError as error:
        raise _no_answer(f"its output is not what it documents: {clean(str(error))}") from error
    found: dict[str, _Diagnostic] = {}
    for each in diagnostics:
        found.setdefault(Path(each.filename).name, each)
    return found


def _no_answer(why: str) -> Unknown:
    return Unknown(f"ruff gives no answer: {why}", next_step=advice.UPDATE_PROGRAM(program="ruff"), retryable=False)
