"""Programs run within their limits and get only the environment meant for them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

assert sys.platform != "win32"  # runs programs of POSIX; test_parts.py is for every system

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.machine import memory_kills
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import MARK, Processes
from unmoor.errors import Cause, Interrupted, TimedOut, ToolMissing
from unmoor.ports.failure import child_failure

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


def test_a_long_line_is_cut_between_words(shell: LocalShell, tmp_path: Path) -> None:
    """A secret that lay in two parts could not be masked in either of them; a long word is cut all the same."""
    lines: list[str] = []
    code = "print('a' * 8_180 + ' ' + 's3cret-value-of-a-token' + ' end ' + 'b' * 20_000)"
    shell.run(python(code), cwd=tmp_path, env=ENV, hear=lines.append)
    assert [line for line in lines if "s3cret-value-of-a-token" in line]
    assert "".join(lines).replace(" ", "") == "a" * 8_180 + "s3cret-value-of-a-tokenend" + "b" * 20_000
    assert all(len(line) <= 8_192 for line in lines)


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


def test_input_is_read_once(shell: LocalShell, tmp_path: Path) -> None:
    """A program reads what it is given, by its path too, and what the program starts finds nothing left."""
    ran = shell.run(["sh", "-c", "cat /dev/stdin; echo; sh -c cat"], cwd=tmp_path, env=ENV, stdin=b"once")
    assert ran.out == "once\n"


def test_input_that_fits_in_no_pipe(shell: LocalShell, tmp_path: Path) -> None:
    """Too much input is an error before the program starts, instead of a program that waits forever."""
    with pytest.raises(ToolMissing, match="too large"):
        shell.run(["touch", "started"], cwd=tmp_path, env=ENV, stdin=b"x" * 1_000_000)
    assert not (tmp_path / "started").exists()


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


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("kill -9 $$", 9),
        ("kill -15 $$", 15),
        ("kill -1 $$", 1),
        ("sh -c 'kill -9 $$'; exit $?", 9),
        ("sh -c 'kill -15 $$'; exit $?", 15),
    ],
)
def test_a_program_that_was_killed(shell: LocalShell, tmp_path: Path, command: str, number: int) -> None:
    """A signal from outside is an error of this machine, also if a shell reports it for its command."""
    with pytest.raises(ToolMissing, match=f"sh was killed by signal {number} ") as caught:
        shell.run(["sh", "-c", command], cwd=tmp_path, env=ENV)
    assert caught.value.retryable
    assert caught.value.cause is Cause.KILLED


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE])
def test_a_program_that_crashes_fails_by_itself(shell: LocalShell, tmp_path: Path, number: int) -> None:
    """A crash is a result, as a non-zero exit code is."""
    ran = shell.run(["sh", "-c", f"ulimit -c 0; kill -{int(number)} $$"], cwd=tmp_path, env=ENV)
    assert ran.code == -number
    assert child_failure(ran) is None


@pytest.mark.parametrize("variable", ["TMPDIR", "TEMP", "UV_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"])
@pytest.mark.parametrize(
    ("blocks", "files", "read_only", "found"),
    [
        (0, 9, False, ("full", "full")),
        (3, 9, False, ("full", "full")),
        (999, 0, False, ("full", "full")),
        (9_999, 9, False, ("", "full")),
        (0, 9, True, ("", "")),
        (9_999_999, 9, False, ("", "")),
    ],
)
def test_a_folder_without_space(  # noqa: PLR0917 - four of them are a row of the table
    shell: LocalShell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    blocks: int,
    files: int,
    read_only: bool,  # noqa: FBT001
    found: tuple[str, str],
    variable: str,
) -> None:
    """A failed program's result names the folder that has no space, or little; one that succeeds names none."""
    folder = str(tmp_path / "full")
    real = os.statvfs

    def statvfs(path: str) -> SimpleNamespace:
        if path.startswith(folder):
            flag = os.ST_RDONLY if read_only else 0
            return SimpleNamespace(f_flag=flag, f_blocks=9, f_files=99, f_favail=files, f_bavail=blocks, f_frsize=4096)
        return SimpleNamespace(
            f_flag=0, f_blocks=9, f_files=0, f_favail=0, f_bavail=real(path).f_blocks, f_frsize=10**6
        )

    monkeypatch.setattr("unmoor.adapters.process.machine.os.statvfs", statvfs)
    env = {**ENV, "HOME": str(tmp_path), variable: folder}
    ran = shell.run(["false"], cwd=tmp_path, env=env)
    expected = tuple(f"{folder}/.cache" if each and variable == "HOME" else each and folder for each in found)
    assert (ran.full, ran.tight) == expected
    assert (child_failure(ran) is not None) == bool(found[0])
    assert shell.run(["true"], cwd=tmp_path, env=env).full == ""


@pytest.mark.parametrize(
    ("cgroup", "events", "vmstat", "count"),
    [
        ("0::/job", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n", "oom_kill 7\n", 2),
        ("0::/", None, "pgfault 1\noom_kill 7\n", 7),
        ("1:memory:/job", None, "oom_kill 7\n", 7),
        ("0::/job", "populated 1\n", "oom_kill 7\n", 7),
        ("0::/", None, "pgfault 1\n", 0),
        ("0::/", None, None, 0),
    ],
)
def test_memory_kills(
    monkeypatch: pytest.MonkeyPatch, cgroup: str, events: str | None, vmstat: str | None, count: int
) -> None:
    """The control group's counter counts, else that of the machine."""
    texts = {"/proc/self/cgroup": f"{cgroup}\n", "/sys/fs/cgroup/job/memory.events": events, "/proc/vmstat": vmstat}

    def read_text(path: Path, **_options: str) -> str:
        if (text := texts.get(str(path))) is None:
            raise FileNotFoundError(path)
        return text

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr("unmoor.adapters.process.machine._CGROUPS", Path("/sys/fs/cgroup"))
    assert memory_kills() == count


def test_memory_that_runs_out_behind_a_program(
    shell: LocalShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the kernel kills a compiler that a program started, the program's own failure is not the project's."""
    counts = iter([4, 5])
    monkeypatch.setattr("unmoor.adapters.process.shell.memory_kills", lambda: next(counts))
    monkeypatch.setattr("unmoor.adapters.process.machine.memory_kills", lambda: next(counts))
    ran = shell.run(["sh", "-c", "echo 'cc: fatal error: Killed' >&2; exit 1"], cwd=tmp_path, env=ENV)
    error = child_failure(ran)
    assert error is not None
    assert "memory ran out while sh ran" in error.what
