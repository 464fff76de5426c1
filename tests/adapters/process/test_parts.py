"""What holds for programs on every system: Linux, macOS and Windows, each by its own part."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support.running import ends, runs
from tests.support.systems import posix

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import MARK, Processes
from unmoor.errors import Interrupted, TimedOut, ToolMissing

ENV = {"PATH": str(Path(sys.executable).parent)}
PYTHON = Path(sys.executable).name
SLEEPS = "import time; time.sleep(60)"
STARTS = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]).pid, flush=True)"
"""Leaves a process behind that holds its pipes."""
PARENT = """
import sys
from pathlib import Path
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
python = Path(sys.executable)
LocalShell(processes=Processes()).run(
    [python.name, "-c", sys.argv[1]], cwd=Path.cwd(), env={"PATH": str(python.parent)},
    hear=lambda line: print(line, flush=True),
)
"""


def python(code: str) -> list[str]:
    """The command that runs a piece of Python, which is found on PATH."""
    return [PYTHON, "-I", "-S", "-c", code]


def test_a_program(shell: LocalShell, tmp_path: Path) -> None:
    """It gets its input and its environment, and its output and exit code come back with the line ends of unmoor."""
    code = f"import os, sys; print(sys.stdin.read(), {MARK!r} in os.environ, 'HOME' in os.environ); sys.exit(3)"
    ran = shell.run(python(code), cwd=tmp_path, env=ENV, stdin=b"x" * 50_000)
    assert (ran.code, ran.out, ran.err) == (3, f"{'x' * 50_000} True False\n", "")


def test_what_it_leaves_behind(shell: LocalShell, tmp_path: Path) -> None:
    """A background process that holds its pipes is not waited for, and ends with it."""
    before = time.monotonic()
    ran = shell.run(python(STARTS), cwd=tmp_path, env=ENV)
    assert time.monotonic() - before < 10
    assert ends(int(ran.out))


def test_a_time_out(shell: LocalShell, tmp_path: Path) -> None:
    """A program that runs too long ends with what it has started."""
    started: list[str] = []
    with pytest.raises(TimedOut):
        shell.run(python(f"{STARTS}; {SLEEPS}"), cwd=tmp_path, env=ENV, timeout=2.0, hear=started.append)
    assert ends(int(started[0]))


def test_a_missing_program(shell: LocalShell, tmp_path: Path) -> None:
    """One in the working folder is not found, either."""
    (tmp_path / "tool.exe").write_bytes(b"")
    (tmp_path / "tool.exe").chmod(0o755)
    with pytest.raises(ToolMissing, match=r"there is no program 'tool\.exe'"):
        shell.run(["tool.exe"], cwd=tmp_path, env=ENV)


@posix
@pytest.mark.parametrize("path", ["", ".", "tools", ":.:tools:"])
def test_a_program_of_a_relative_folder(
    shell: LocalShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What an empty or relative part of PATH leads to is a file of the checkout."""
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path / "git-thing", tmp_path / "tools" / "git-thing"):
        place.parent.mkdir(exist_ok=True)
        place.touch(0o755)
    with pytest.raises(ToolMissing, match=r"there is no program 'git-thing'"):
        shell.run(["git-thing"], cwd=tmp_path, env={"PATH": path})


def test_a_stop_wakes_everything(processes: Processes, shell: LocalShell, tmp_path: Path) -> None:
    """A program and a wait end at the first stop, and no program starts afterwards."""
    errors: list[BaseException] = []

    def attempt(call: object) -> None:
        try:
            assert callable(call)
            call()
        except Interrupted as error:
            errors.append(error)

    waiting = [
        lambda: shell.run(python(SLEEPS), cwd=tmp_path, env=ENV),
        lambda: processes.sleep(60),
        lambda: shell.run(
            python(f"print(flush=True); {SLEEPS}"), cwd=tmp_path, env=ENV, hear=lambda _: processes.stop()
        ),
    ]
    threads = [threading.Thread(target=attempt, args=[each]) for each in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 3
    with pytest.raises(Interrupted):
        processes.start(python("1"), cwd=tmp_path, env=ENV)


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    """If unmoor is killed, its program ends, and what that has started, too."""
    code = f"import os; print(os.getpid(), flush=True); {STARTS}; {SLEEPS}"
    command = [sys.executable, "-c", PARENT, code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=dict(os.environ)) as parent:
        assert parent.stdout is not None
        numbers = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(runs, numbers))
        parent.kill()
    assert all(map(ends, numbers))
