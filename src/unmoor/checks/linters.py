"""What the checks share that ask a linter of the user's: hadolint, actionlint, zizmor.

A linter reads copies in a folder of its own, so it sees the files that are checked, those of the index too, and follows
no link out of them. One that is not installed is skipped, and one that fails or prints something else has no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from unmoor import advice
from unmoor.checks.model import CheckContext, CheckLevel, CheckProblem, skip
from unmoor.errors import Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.user_programs import UserPrograms
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, list_some

T = TypeVar("T")
PATIENCE: Final = 60.0
"""Seconds that a linter has."""
_LIMIT: Final = 50_000_000
_MOST_BYTES: Final = 50_000_000
_ERROR: Final = re.compile(r"(?:fatal|error)\b", re.IGNORECASE)
# A path that means the same file on every system, below the folder that it is joined to.
_PLAIN: Final = re.compile(r"(?:(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f\x7f]+/)*(?!\.{1,2}$)[^/\\:\x00-\x1f\x7f]+")


class LintFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a linter says about a line. ``rule`` is its name of the rule, ``line`` counts from 1, 0 if unknown."""

    rule: str
    what: str
    path: str
    line: int = 0
    level: CheckLevel = CheckLevel.WARNING


def require_program(programs: UserPrograms, *names: str) -> str:
    """Return the first of a linter's programs that is installed. Raises `NotApplicable` if none is."""
    return programs.find(names) or skip(f"{names[0]} is not installed")


@contextmanager
def copies(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Write files into a new folder. Raises `Unknown` for a name that is not safe there, or too many bytes."""
    if sum(map(len, files.values())) > _MOST_BYTES:
        raise Unknown(
            f"the files have more than {_MOST_BYTES // 1_000_000} MB",
            retryable=False,
            next_step=advice.LET_CHECK_READ(),
        )
    with temporary_folder() as folder:
        for name, content in files.items():
            if not _PLAIN.fullmatch(name):
                raise Unknown(
                    f"no linter can read a file of this name: {clean(name)}",
                    retryable=False,
                    next_step=advice.LET_CHECK_READ(),
                )
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield folder


def read_all(context: CheckContext, names: Iterable[str]) -> dict[str, bytes]:
    """Read files by their paths from the top of the repository, without those that are gone."""
    return dict(context.source.read_many(tuple(names)))


def ask(programs: UserPrograms, args: Sequence[str], folder: Path, kind: type[T], *, fine: Sequence[int] = (0,)) -> T:
    """Run a linter in a folder, and return what it prints as JSON.

    ``fine`` are the exit codes of an answer. Raises `Unknown` for any other, and if the output is no answer.
    """
    program = args[0]
    ran = programs.run(args, cwd=folder, patience=PATIENCE, limit=_LIMIT)
    if ran.code not in fine:
        raise no_answer(program, _reason(ran.err or ran.out) or f"exit code {ran.code}")
    try:
        return decode_json(ran.out, kind)
    except ValueError as error:
        raise no_answer(program, f"its output is not what it documents: {clean(str(error))}") from error


def _reason(text: str) -> str:
    """The lines of an output that say what went wrong: from the first that calls itself an error, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = next((number for number, line in enumerate(lines) if _ERROR.match(line)), len(lines) - 1)
    return clean(" ".join(lines[max(at, 0) : at + 2]))


def no_answer(program: str, why: str) -> Unknown:
    """Return the error for a linter that failed."""
    return Unknown(f"{program} gives no answer: {why}", next_step=advice.UPDATE_PROGRAM(program=program))


def as_problems(findings: Iterable[LintFinding]) -> Iterator[CheckProblem]:
    """Return a problem for each rule and file, at the first line that breaks it."""
    found: dict[tuple[str, str], list[LintFinding]] = {}
    for each in sorted(findings, key=lambda finding: (finding.path, finding.line)):
        found.setdefault((each.path, each.rule), []).append(each)
    for (path, rule), every in found.items():
        first = every[0]
        lines = [str(each.line) for each in every[1:] if each.line]
        also = f"; also in line {list_some(lines, 5)}" if lines else ""
        what = f"{clean(first.what)} ({clean(rule, 60)}){also}"
        yield CheckProblem(what=what, where=path, line=first.line or None, level=first.level)
