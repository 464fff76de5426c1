"""On macOS a kqueue tells of the end of a program, psutil finds what left its group, and memory is looked at.

A pidfd stands for the kqueue here: it becomes readable in the same way, and nothing is read from it either.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.support.running import awaited, ends, runs

assert sys.platform == "linux"  # a pidfd stands for the kqueue

from unmoor.adapters.process import reaper
from unmoor.adapters.process.darwin import DarwinSystem
from unmoor.adapters.process.process_system import LABEL
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import MARK, Processes
from unmoor.errors import TimedOut, ToolMissing
from unmoor.ports import child
from unmoor.ports.shell import ProcessLimits

ENV = {"PATH": os.defpath}
MUCH = 1 << 40


@dataclass
class Queue:
    """A descriptor that is readable once a process has ended."""

    descriptor: int
    closed: bool = False

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.descriptor

    def close(self) -> None:
        """Close it once."""
        assert not self.closed
        self.closed = True
        os.close(self.descriptor)


@dataclass
class ModelKernel:
    """The calls of macOS. A process that has ended already has no queue, and ``broken`` is a system without any."""

    ended_first: bool = False
    broken: bool = False
    used: int = 0
    queues: list[Queue] = field(default_factory=list)

    def watch(self, process: int) -> Queue | None:
        """Watch a process."""
        if self.broken:
            raise OSError(24, "Too many open files")
        if self.ended_first:
            os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
            return None
        self.queues.append(Queue(os.pidfd_open(process)))
        return self.queues[-1]

    def memory(self, process: int) -> int:
        """Return what the test wants."""
        assert psutil.pid_exists(process)
        return self.used

    def libraries(self) -> list[str]:
        """Where psutil is."""
        return [str(Path(psutil.__file__).parents[1])]


@pytest.fixture
def kernel() -> ModelKernel:
    """A model of macOS."""
    return ModelKernel()


@pytest.fixture
def shell(kernel: ModelKernel) -> Iterator[LocalShell]:
    """A shell on that model."""
    processes = Processes()
    processes.system = DarwinSystem(processes._mark, kernel)
    with processes:
        yield LocalShell(processes=processes)


@pytest.mark.parametrize("ended_first", [False, True])
def test_a_program(kernel: ModelKernel, shell: LocalShell, tmp_path: Path, *, ended_first: bool) -> None:
    """Its end is seen, also if it came before the watch, and all of its output is read."""
    kernel.ended_first = ended_first
    ran = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path, env=ENV)
    assert (ran.code, ran.out, ran.err) == (3, "out\n", "err\n")
    assert [queue.closed for queue in kernel.queues] == [True] * (not ended_first)


def test_a_time_out_ends_the_group(shell: LocalShell, tmp_path: Path) -> None:
    """TERM, then KILL for who ignores it: what a program has started ends with it."""
    script = 'trap "" TERM; sleep 60 & echo $! > pid; wait'
    with pytest.raises(TimedOut):
        shell.run(["sh", "-c", script], cwd=tmp_path, env=ENV, timeout=0.3)
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_program_that_cannot_be_watched(kernel: ModelKernel, shell: LocalShell, tmp_path: Path) -> None:
    """It is killed at once, and the error says why."""
    kernel.broken = True
    with pytest.raises(ToolMissing, match="cannot use 'sleep': Too many open files"):
        shell.run(["sleep", "60"], cwd=tmp_path, env=ENV)
    assert not [each for each in psutil.Process().children() if each.name() == "sleep" and runs(each.pid)]


@pytest.mark.parametrize(("used", "over"), [(0, False), (MUCH, True)])
def test_memory_is_looked_at(kernel: ModelKernel, shell: LocalShell, tmp_path: Path, used: int, *, over: bool) -> None:
    """MacOS ignores a limit of memory, so a program that has more is ended; without limits nothing is asked."""
    kernel.used = used
    limits = ProcessLimits(memory=1 << 30, seconds=60)
    ran = shell.run(["sh", "-c", "echo; sleep 0.1"], cwd=tmp_path, env=ENV, limits=limits)
    assert (ran.over_memory, ran.code) == (over, -signal.SIGTERM if over else 0)
    assert not shell.run(["sh", "-c", "echo"], cwd=tmp_path, env=ENV).over_memory


def test_a_child_that_uses_too_much(kernel: ModelKernel, shell: LocalShell, tmp_path: Path) -> None:
    """The error is the same as on Linux, where the child itself gets no more."""
    kernel.used = MUCH
    with pytest.raises(child.BeyondLimits, match="more than 1 GB of memory"):
        child.run(shell, "import time; print(flush=True); time.sleep(60)", [], cwd=tmp_path)


def test_the_end_of_the_run(shell: LocalShell, tmp_path: Path) -> None:
    """The reaper ends what is left in the groups, and marked processes outside of them."""
    script = 'echo $$ > a; setsid sh -c "echo \\$\\$ > b; sleep 60" & sleep 60'
    running = shell.processes.start(["sh", "-c", script], cwd=tmp_path, env=ENV)
    numbers = [awaited(tmp_path / name) for name in ("a", "b")]
    shell.processes.close()
    assert all(map(ends, numbers))
    shell.processes.end(running)


def test_the_reaper_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Psutil finds a process of the run by its mark, in whatever group it is, and none of another run."""
    monkeypatch.setattr(reaper, "_PROC", str(tmp_path / "none"))
    marks = ("this.1", "this.22", "other.1")
    ours, too, other = (
        subprocess.Popen(["/bin/sleep", "60"], env={MARK: mark}, start_new_session=True) for mark in marks
    )
    reaper.main(f"{MARK}=this", LABEL, [], grace=1.0)
    assert [ours.wait(5), too.wait(5), other.poll()] == [-signal.SIGTERM, -signal.SIGTERM, None]
    other.kill()
    other.wait()


def test_the_reaper_without_proc_and_psutil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It ends the groups that it knows."""
    monkeypatch.setattr(reaper, "_PROC", str(tmp_path / "none"))
    monkeypatch.setitem(sys.modules, "psutil", None)
    listed = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    reaper.main(f"{MARK}=this", LABEL, [f"+{listed.pid}\n".encode()], grace=0.05)
    assert listed.wait(5) == -signal.SIGTERM
