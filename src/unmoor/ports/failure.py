"""Whose fault a failure is: the error, exit code and next step for each `Cause`, in one place.

An adapter that talks to a server or runs a program determines the cause and calls `failure`. `child_failure` is for
programs: it returns ``None`` if a program failed by itself, and only then a stage may blame the project.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

import msgspec

from unmoor import advice as steps
from unmoor.errors import Advice, Cause, Denied, Rejected, TimedOut, ToolMissing, TryLater, Unknown, UnmoorError
from unmoor.ports.exit_codes import killer
from unmoor.ports.shell import Ran


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The kind of error of a cause, for reads and for writes, and its advice unless the caller has better."""

    kind: type[UnmoorError]
    advice: Advice
    writing: type[UnmoorError] | None = None


_VERDICTS: Mapping[Cause, _Verdict] = {
    Cause.UNREACHABLE: _Verdict(kind=Unknown, advice={"next_step": steps.CHECK_NETWORK()}),
    Cause.LOST: _Verdict(kind=Unknown, advice={"otherwise": steps.CHECK_NETWORK()}),
    Cause.LATER: _Verdict(kind=Unknown, writing=TryLater, advice={}),
    Cause.NONSENSE: _Verdict(
        kind=Unknown,
        advice={"otherwise": steps.OPEN_ADDRESS()},
    ),
    Cause.DENIED: _Verdict(kind=Denied, advice={"next_step": steps.GIVE_CREDENTIAL()}),
    Cause.REFUSED: _Verdict(kind=Rejected, advice={"next_step": steps.FIX_WHAT_SERVER_NAMES()}),
    Cause.KILLED: _Verdict(
        kind=ToolMissing,
        advice={
            "next_step": steps.FREE_MEMORY(),
            "retryable": True,
            "otherwise": steps.USE_MORE_MEMORY(),
        },
    ),
    Cause.NO_ROOM: _Verdict(
        kind=ToolMissing,
        advice={
            "next_step": steps.FREE_SPACE(),
            "retryable": True,
        },
    ),
    Cause.TOO_LONG: _Verdict(
        kind=TimedOut,
        advice={"next_step": steps.ALLOW_MORE_TIME(), "retryable": False},
    ),
}

# As the system says it. Windows has another number for a quota, and its own words for a full disk, which programs in
# Rust and Go print; Python adds the number.
_NO_ROOM = tuple(
    text
    for text in (
        *(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT)),
        "There is not enough space on the disk",
        "[WinError 112]",
    )
    if not text.startswith("Unknown error")
)
_LAST = 10


def failure(cause: Cause, what: str, *, where: str = "", writes: bool = False, **advice: Unpack[Advice]) -> UnmoorError:
    """Return the error for a cause. ``advice`` replaces the usual next step.

    ``writes``: the request changes something on the server.
    """
    verdict = _VERDICTS[cause]
    kind = verdict.writing if writes and verdict.writing else verdict.kind
    given = verdict.advice.copy()
    if "next_step" in advice or "otherwise" in advice:
        given.pop("next_step", None)
        given.pop("otherwise", None)
    given.update(advice)
    error = kind(what, where=where, **given)
    error.cause = cause
    return error


def require_not_put_off(error: UnmoorError) -> None:
    """Raise `TryLater` if the server put off a write. ``error`` is that of the last try."""
    if error.cause is Cause.LATER:
        raise failure(Cause.LATER, error.what, where=error.where, writes=True, wait=error.wait) from error


def child_failure(ran: Ran, what: str = "", *, reports: bool = False) -> UnmoorError | None:
    """Return the error for a program that failed because of this machine, ``None`` if it failed by itself.

    ``what`` names the program; empty means its file name. ``reports``: the program itself writes files and passes on
    the system's message, so that message is enough. Otherwise it counts only if little space is left, since a test
    suite may print it without meeting a full disk.
    """
    what = what or Path(ran.args[0]).name
    last = [line for line in (ran.err or ran.out).strip().splitlines() if line.strip()][-_LAST:]
    said = any(text in ran.err or text in ran.out for text in _NO_ROOM)
    if ran.full or (said and (reports or ran.tight)):
        where = ran.full or ran.tight
        lines = "".join(f"\n{line}" for line in last)
        return failure(Cause.NO_ROOM, f"{what} failed because no disk space is left{lines}", where=where)
    if by := killer(ran.code):
        return failure(Cause.KILLED, f"{what} was killed by {by}")
    if ran.starved:
        lines = "".join(f"\n{line}" for line in last)
        return failure(Cause.KILLED, f"memory ran out while {what} ran, and the system killed a process{lines}")
    return None
