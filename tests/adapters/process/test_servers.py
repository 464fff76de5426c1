"""Tests of the processes of a local world."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unmoor.adapters.process.servers import Program, Server, apart_from_terminal
from unmoor.util.concurrency import NoAnswer

TELL = "import sys; line = sys.stdin.buffer.readline().decode(); sys.stdout.buffer.write(line.upper().encode())"
SILENT = "import sys; sys.stdin.read()"
DEAF = "import time; time.sleep(600)"
CUT = "print('half', end='')"
LOUD = "import sys; print('x' * 100_000, file=sys.stderr); sys.stdout.buffer.write(b'done\\n')"


def start(folder: Path, code: str) -> Server:
    """Start a server of some code."""
    with (folder / "log").open("wb") as log:
        return Server([sys.executable, "-I", "-c", code], cwd=folder, env=os.environ, log=log)


@pytest.mark.parametrize(
    ("code", "told", "answer"),
    [
        (TELL, b"serve this", b"SERVE THIS\n"),
        (TELL, "Größe".encode(), "GRÖSSE\n".encode()),
        (TELL, b"x" * 300_000, b"X" * 300_000 + b"\n"),
        (LOUD, b"", b"done\n"),
        (CUT, b"", b"half"),
        ("", b"", b""),
    ],
    # pytest puts the name of a test into the environment, where a long one is too long.
    ids=["a line", "other letters", "a long line", "a full log", "a cut line", "no line"],
)
def test_a_server_answers_in_one_line(tmp_path: Path, code: str, told: bytes, answer: bytes) -> None:
    """The line comes back whole, whatever its length. One that ends without an answer is noticed at once."""
    server = start(tmp_path, code)
    try:
        if told:
            server.tell(told)
        assert server.answer(20.0) == answer
    finally:
        server.stop(5.0)
    assert server.poll() == 0


@pytest.mark.parametrize(("code", "end"), [(SILENT, 0), (DEAF, None)])
def test_a_server_that_does_not_answer(tmp_path: Path, code: str, end: int | None) -> None:
    """The wait has a limit. One that reads its stdin ends with it, and any other is killed."""
    server = start(tmp_path, code)
    with pytest.raises(NoAnswer):
        server.answer(0.05)
    assert server.poll() is None
    began = time.monotonic()
    server.stop(5.0 if end == 0 else 0.05)
    server.stop(5.0)
    assert time.monotonic() - began < 5.0
    assert server.poll() == end if end is not None else server.poll()


def test_a_line_to_a_server_that_has_ended(tmp_path: Path) -> None:
    """Telling it is an error of the system, and stopping it is none."""
    server = start(tmp_path, "")
    assert server.answer(20.0) == b""
    with pytest.raises(OSError, match=r"."):
        server.tell(b"x" * 1_000_000)
    server.stop(5.0)
    assert server.poll() == 0


@pytest.mark.parametrize(
    ("flag", "options"), [(0, {"start_new_session": True}), (0x200, {"creationflags": 0x200})], ids=["POSIX", "Windows"]
)
def test_ctrl_c_at_the_terminal_does_not_reach_servers(flag: int, options: dict[str, object]) -> None:
    """They are in a session of their own or, on Windows, in a group that ignores Ctrl-C."""
    assert apart_from_terminal(flag) == options
    assert apart_from_terminal() == apart_from_terminal(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("print('out', end='')", (0, b"out", b"")),
        ("import sys; sys.exit('err')", (1, b"", b"err")),
        ("import sys; sys.stdout.write(sys.stdin.read())", (0, b"", b"")),
    ],
)
def test_a_program_of_a_server(code: str, ended: tuple[int, bytes, bytes]) -> None:
    """It has no input, and both outputs are returned."""
    number, out, err = Program([sys.executable, "-I", "-c", code], os.environ).wait(20.0)
    assert (number, out.strip(), err.strip()) == ended


def test_a_program_that_hangs() -> None:
    """It is killed at the time limit, and the error is no other than that of the standard library."""
    with pytest.raises(TimeoutError, match="no end after 0 s"):
        Program([sys.executable, "-I", "-c", DEAF], os.environ).wait(0.05)
