"""Signals to a client are sent to a process that is there, and to no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unmoor.adapters.process.clients import client_in, is_running, pid_in, send_signal


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        ("4321", 4321),
        (" 4321\n", 4321),
        ("", None),
        ("1", None),
        ("0", None),
        ("-5", None),
        ("x", None),
        ("9" * 30, None),
    ],
)
def test_pid_in(tmp_path: Path, text: str, pid: int | None) -> None:
    """Only a number of one process is a process id: never 0 or -1, which are whole groups, nor 1."""
    (tmp_path / "client.pid").write_text(text, encoding="utf-8")
    assert pid_in(tmp_path / "client.pid") == pid
    assert pid_in(tmp_path / "none") is None


@pytest.mark.parametrize(("name", "code"), [("KILL", -9), ("TERM", -15), ("INT", -2)])
def test_client_ends(name: str, code: int) -> None:
    """The signal arrives, and later there is nobody to send one to."""
    script = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_running(process.pid)
        assert send_signal(process.pid, name)
        assert process.wait(20) == code
    assert not is_running(process.pid)
    assert not send_signal(process.pid, name)


def test_only_a_started_process_is_a_client(tmp_path: Path) -> None:
    """A file may name any process, but only a child, or a child of one, is a client."""
    inner = "import os; print(os.getpid(), flush=True); input()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    path = tmp_path / "client.pid"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        for pid, starter, client in (
            (process.pid, os.getpid(), process.pid),
            (grandchild, os.getpid(), grandchild),
            (grandchild, process.pid, grandchild),
            (process.pid, grandchild, None),
            (os.getpid(), os.getpid(), None),
            (os.getppid(), os.getpid(), None),
            (process.pid, 0, None),
        ):
            path.write_text(str(pid), encoding="utf-8")
            assert client_in(path, starter) == client
        process.communicate(b"\n")
    assert client_in(path, os.getpid()) is None
