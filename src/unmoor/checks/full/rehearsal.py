"""The release rehearses: the whole of it, in a local world, by the command that a user would run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from unmoor.checks.full.install import uncommitted
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck, skip
from unmoor.errors import Unknown
from unmoor.ports.failure import child_failure
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_PATIENCE: Final = 7200.0
_LIMIT: Final = 50_000_000
_LONGEST: Final = 1000
# Exit codes of failures that say nothing about the project: see unmoor.errors.
_UNKNOWN: Final = frozenset({10, 13, 14, 15, 70, 130})
# The report of a rehearsal is no part of that of this run.
_NOT_PASSED: Final = frozenset({"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"})


class _Stage(msgspec.Struct, frozen=True):
    """A stage of the rehearsal, as ``--json`` writes it."""

    name: str
    state: str
    text: str = ""
    next_step: str = ""
    exit_code: int = 0


class _Run(msgspec.Struct, frozen=True):
    """A rehearsal, as ``--json`` writes it."""

    stages: tuple[_Stage, ...]


def check_rehearsal(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
    """Rehearse the release of the last commit.

    Raises `Unknown` if that fails because of this machine or of the network.
    """
    if context.head is None:
        skip("there is no commit yet")
    yield from uncommitted(context)
    # Without the current folder, which is the project's, on Python's path.
    command = [sys.executable, "-P", "-m", "unmoor", "rehearse", "--json", "--directory", str(context.git.folder)]
    command += ["--path", context.path] if context.path else []
    environ = {name: value for name, value in context.environ.items() if name not in _NOT_PASSED}
    shell = context.programs()
    ran = shell.run(command, cwd=context.git.folder, env=environ, timeout=_PATIENCE, limit=_LIMIT)
    if ran.code == 0:
        return
    if (failed := child_failure(ran, "unmoor rehearse")) is not None:
        raise failed
    try:
        stages = decode_json(ran.out, _Run).stages
    except ValueError:
        stages = ()  # it failed before it began
    faults = [each for each in stages if each.state == "failed"]
    if ran.code in _UNKNOWN:
        what = clean(faults[0].text, _LONGEST) if faults else _message(ran.err)
        raise Unknown(f"the rehearsal has no result: {what}", retryable=True)
    for each in faults:
        step = f"; next: {clean(each.next_step, _LONGEST)}" if each.next_step else ""
        yield CheckProblem(what=f"{clean(each.name, 60)} failed: {clean(each.text, _LONGEST)}{step}")
    if not faults:
        yield CheckProblem(what=f"it failed: {_message(ran.err)}")


def _message(err: str) -> str:
    """The error that a command printed, and its next step."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    at = next((number for number, line in enumerate(lines) if line.startswith("error")), max(len(lines) - 2, 0))
    return clean(" ".join(lines[at : at + 3]), _LONGEST) or "it printed nothing"


CHECK: Final = RepositoryCheck(
    id="rehearsal",
    group=CheckGroup.FULL,
    level=CheckLevel.CRITICAL,
    title="The release of the last commit rehearses",
    reads="the last commit, and all that `unmoor rehearse` reads",
    remedy="see: unmoor rehearse",
    run=check_rehearsal,
)
