"""Each cause has one kind of error, exit code and next step, and only a program that failed by itself has none."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.advice import NextStep
from unmoor.errors import Cause
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.shell import Ran
from unmoor.render.advice import AGAIN, next_step

TRUST = Path(__file__).parents[2] / "docs" / "concepts" / "trust.md"
FULL, QUOTA = (os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


def ran(code: int, err: str = "", *, full: str = "", tight: str = "", starved: bool = False) -> Ran:
    """Return how a program ended."""
    return Ran(args=("/usr/bin/tool",), code=code, out="", err=err, full=full, tight=tight, starved=starved)


@pytest.mark.parametrize("cause", Cause)
def test_the_page_has_the_exit_code_of_each_cause(cause: Cause) -> None:
    """The table in the documentation gives the exit codes that reads and writes have, and the same causes."""
    rows = re.findall(r"^\| ([a-z ]+) \| [^|]+ \| [^|]+ \| ([^|]+) \|", TRUST.read_text(), re.MULTILINE)
    codes = {name: [int(code) for code in re.findall(r"\d+", text)] for name, text in rows if name != "cause"}
    assert set(codes) == {each.value for each in Cause} | {"failed"}
    found = [failure(cause, "what", writes=writes) for writes in (False, True)]
    assert list(dict.fromkeys(error.exit_code for error in found)) == codes[cause.value]
    assert all(error.cause is cause for error in found)
    assert all(error.retryable or error.next_step for error in found)
    assert all("project" not in next_step(error) for error in found)


def test_an_adapter_may_know_a_better_next_step() -> None:
    """Advice of the caller replaces the usual one, but not whether a retry helps."""
    error = failure(Cause.NO_ROOM, "what", next_step=NextStep("docker system prune"))
    assert next_step(error) == f"docker system prune, then {AGAIN}"
    assert next_step(failure(Cause.LOST, "what", otherwise=NextStep("ask"))) == f"{AGAIN}; if it fails again, ask"


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (ran(-9), r"tool was killed by signal 9 \(SIGKILL\)"),
        (ran(137), "killed by signal 9"),
        (ran(-15), r"killed by signal 15 \(SIGTERM\)"),
        (ran(-40), "killed by signal 40"),
        (ran(0xC000013A), "killed by Ctrl-C, Ctrl-Break or the end of its console"),
        (ran(0xC0000017), "killed by a lack of memory"),
        (ran(1, "OSError: [WinError 112] There is not enough", tight="C:"), "^C:: .*no disk space"),
        (ran(1, "There is not enough space on the disk. (os error 112)", tight="C:"), "^C:: .*no disk space"),
        (ran(1, starved=True), "memory ran out while tool ran"),
        (ran(1, full="/tmp"), "^/tmp: tool failed because no disk space is left"),
        (ran(-9, full="/tmp"), "no disk space"),
        (ran(1, f"write error: {FULL}", tight="/tmp"), "no disk space"),
        # Windows has no words for it.
        pytest.param(ran(1, f"write error: {QUOTA}", tight="/home"), "^/home: .*no disk space", marks=posix),
    ],
)
def test_this_machine_failed(ended: Ran, words: str) -> None:
    """The error is one of this machine, which a retry may fix."""
    error = child_failure(ended)
    assert error is not None
    assert re.search(words, str(error))
    assert (error.exit_code, error.retryable) == (13, True)


@pytest.mark.parametrize(
    "ended",
    [
        ran(1),
        ran(2, "Killed"),
        ran(-11),
        ran(139),
        ran(0xC0000005),
        ran(0xFFFFFFFF),
        ran(1, f"a test of {FULL}"),
        ran(1, "no memory", tight="/tmp"),
        ran(1, "Unknown error 10069", tight="C:"),
    ],
)
def test_a_program_fails_by_itself(ended: Ran) -> None:
    """Exit codes, crashes, and messages that do not fit this machine are left to the caller."""
    assert child_failure(ended) is None


def test_a_program_that_reports_a_full_disk_is_believed() -> None:
    """An installer removes its files before it ends, so that space is free again."""
    error = child_failure(ran(2, f"failed to write: {FULL} (os error 28)"), "uv", reports=True)
    assert error is not None
    assert "uv failed because no disk space is left" in error.what
    assert "(os error 28)" in error.what
