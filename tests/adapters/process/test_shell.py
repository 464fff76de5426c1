"""Programs run within their limits and get only the environment meant for them."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.shell import LocalShell, scrubbed
from unmoor.adapters.process.supervisor import MARK, Processes
from unmoor.errors import Interrupted, TimedOut, ToolMissing

ENV = {"PATH": os.defpath}


def python(code: str) -> list[str]:
    """Return the command that runs a piece of Python."""
    return [sys.executable, "-I", "-S", "-c", code]


def test_run_to_the_end(shell: LocalShell, tmp_path: Path) -> None:
    """The result has the exit code and both streams; a non-zero exit raises nothing."""
    ran = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path, env=ENV)
    assert (ran.code, ran.out, ran.err) == (3, "out\n", "err\n")


def test_environment_is_whole(shell: LocalShell, tmp_path: Path) -> None:
    """A program gets the given environment plus the run's mark, the given folder, and no input."""
    ran = shell.run(["sh", "-c", "/usr/bin/env; pwd; cat"], cwd=tmp_path, env={"A": "b c"})
    lines = ran.out.splitlines()
    assert "A=b c" in lines
    assert lines[-1] == str(tmp_path)
    assert {line.split("=")[0] for line in lines[:-1]} <= {"A", MARK, "PWD", "_", "SHLVL", "OLDPWD"}


@pytest.mark.parametrize("name", ["no-such-program", "/no/such/program", "./none"])
def test_missing_program(shell: LocalShell, tmp_path: Path, name: str) -> None:
    """The error names the missing program."""
    with pytest.raises(ToolMissing, match=name):
        shell.run([name], cwd=tmp_path, env=ENV)


def test_missing_folder(shell: LocalShell, tmp_path: Path) -> None:
    """The error names the missing folder, not the program."""
    with pytest.raises(ToolMissing, match="nowhere"):
        shell.run(["true"], cwd=tmp_path / "nowhere", env=ENV)


def test_timeout(shell: LocalShell, tmp_path: Path) -> None:
    """A program that runs too long is stopped, and the error says so."""
    before = time.monotonic()
    with pytest.raises(TimedOut, match=r"sleep ran for more than 0\.2 s"):
        shell.run(["sleep", "60"], cwd=tmp_path, env=ENV, timeout=0.2)
    assert time.monotonic() - before < 5


@pytest.mark.parametrize(("limit", "head", "tail"), [(1000, 500, 500), (7, 3, 4)])
def test_output_is_cut_in_the_middle(shell: LocalShell, tmp_path: Path, limit: int, head: int, tail: int) -> None:
    """Keeps the first and the last bytes, with a note of how many are left out."""
    ran = shell.run(python("print('a' * 300_000 + 'b' * 300_000, end='')"), cwd=tmp_path, env=ENV, limit=limit)
    assert ran.out == "a" * head + f"\n[{600_000 - limit} bytes left out]\n" + "b" * tail


def test_uncut_output_keeps_every_character(shell: LocalShell, tmp_path: Path) -> None:
    """A multi-byte character at the border of the two halves stays intact."""
    ran = shell.run(python("import sys; sys.stdout.buffer.write('aü'.encode())"), cwd=tmp_path, env=ENV, limit=4)
    assert ran.out == "aü"


def test_lines_are_passed_on_clean(shell: LocalShell, tmp_path: Path) -> None:
    """Each line is passed on as it comes, without control sequences, even a last line without a line break."""
    lines: list[str] = []
    shell.run(["printf", r"  one\n\033[31mred\033[0m\ntwo\r\nlast"], cwd=tmp_path, env=ENV, hear=lines.append)
    assert lines == ["  one", "red", "two", "last"]


def test_umask_applies_only_to_the_child(processes: Processes, tmp_path: Path) -> None:
    """The umask is set for the child, and that of this process stays."""
    before = os.umask(0o077)
    try:
        LocalShell(processes=processes, umask=0o022).run(["touch", "file"], cwd=tmp_path, env=ENV)
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)


def test_a_background_child_is_not_waited_for(shell: LocalShell, tmp_path: Path) -> None:
    """A background process that holds the pipes open ends together with the program."""
    before = time.monotonic()
    ran = shell.run(["sh", "-c", "sleep 60 & echo $!"], cwd=tmp_path, env=ENV)
    assert time.monotonic() - before < 5
    assert gone(int(ran.out))


def test_stop_from_another_thread(processes: Processes, shell: LocalShell, tmp_path: Path) -> None:
    """A stop ends every running program and every sleep, and no program starts afterwards."""
    errors: list[BaseException] = []
    ready = threading.Barrier(4)

    def meet(_line: str) -> None:
        ready.wait()

    def attempt(what: str) -> None:
        try:
            if what == "run":
                shell.run(["sh", "-c", "echo; sleep 60"], cwd=tmp_path, env=ENV, hear=meet)
            else:
                ready.wait()
                MonotonicClock(processes=processes).sleep(60)
        except Interrupted as error:
            errors.append(error)

    threads = [threading.Thread(target=attempt, args=[what]) for what in ("run", "run", "sleep")]
    for thread in threads:
        thread.start()
    ready.wait()
    processes.stop()
    for thread in threads:
        thread.join(10)
    assert len(errors) == 3
    with pytest.raises(Interrupted):
        shell.run(["true"], cwd=tmp_path, env=ENV)


def test_clock_does_not_go_back(processes: Processes) -> None:
    """Time passes during a sleep."""
    clock = MonotonicClock(processes=processes)
    before = clock.now()
    clock.sleep(0.01)
    assert clock.now() - before >= 0.01


def test_no_token_passes() -> None:
    """Project code gets the variables it needs to build, and no release credentials."""
    seen = scrubbed(
        {
            "PATH": "/bin",
            "LC_ALL": "C",
            "SSL_CERT_FILE": "/ca",
            "PIP_INDEX_URL": "https://example.org/simple",
            "GITHUB_TOKEN": "t",
            "GH_TOKEN": "t",
            "TWINE_PASSWORD": "t",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
            "UV_PUBLISH_TOKEN": "t",
            "AWS_SECRET_ACCESS_KEY": "t",
            "PYTHONPATH": "/x",
            "VIRTUAL_ENV": "/y",
        }
    )
    assert set(seen) == {"PATH", "LC_ALL", "SSL_CERT_FILE", "PIP_INDEX_URL"}


def gone(process: int, within: float = 10.0) -> bool:
    """Whether a process ends in time. A zombie counts as gone."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
