"""No daemon outlives the program that started it, whatever it does to be forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.running import awaited, ends, runs

assert sys.platform == "linux"  # other systems have no subreaper

from unmoor.adapters.process.orphans import Orphans
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes

# Starts a daemon in some way, waits for it, and says whether it lives.
PROGRAM = """
import os, signal, sys, time
folder, *how = sys.argv[1:]
if os.fork():
    while not os.path.exists(f"{folder}/daemon"):
        time.sleep(0.01)
    os.kill(int(open(f"{folder}/daemon").read()), 0)
    print("lives", flush=True)
    time.sleep(60 if "stay" in how else 0)
    os._exit(0)
if "session" in how:
    os.setsid()
if "twice" in how and os.fork():
    os._exit(0)
if "thrice" in how:
    os.setsid()
    if os.fork():
        os._exit(0)
if "deaf" in how:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
os.dup2(os.open(os.devnull, os.O_RDWR), 1)
os.dup2(1, 2)
script = 'echo $$ > "$1.part"; mv "$1.part" "$1"; while :; do sleep 0.1; done'
environ = {"PATH": os.environ["PATH"]} if "bare" in how else os.environ
os.execve("/bin/sh", ["sh", "-c", script, "sh", f"{folder}/daemon"], environ)
"""
# A process that runs a program and is killed meanwhile. It prints a line when it has told the reaper of an orphan.
PARENT = """
import os, sys
from pathlib import Path
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
class Telling(Processes):
    def note_orphans(self):
        super().note_orphans()
        if self.system._orphaned:
            print("noted", flush=True)
LocalShell(processes=Telling()).run(sys.argv[1:], cwd=Path("/"), env={"PATH": os.environ["PATH"]})
"""
WAYS = [
    "",
    "twice",
    "session",
    "session twice",
    "session bare",
    "session twice bare",
    "session twice thrice bare",
    "session twice bare deaf",
]


@dataclass
class ListedChildren:
    """A system whose list of children a test writes."""

    listed: frozenset[int] = frozenset()

    def hide(self, is_public: Callable[[str, str], bool]) -> None:
        """Do nothing."""

    def adopt(self) -> None:
        """Do nothing."""

    def children(self) -> frozenset[int]:
        """Return the list."""
        return self.listed


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A child in a session of its own, which a library could have started."""
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as process:
        yield process.pid
        process.kill()


def test_nothing_is_an_orphan_before_the_first_program(sleeper: int) -> None:
    """Whatever is there was not left by a program."""
    found = Orphans(ListedChildren(frozenset({sleeper})))
    found.end_all()
    assert (found.groups(), os.waitpid(sleeper, os.WNOHANG)) == (frozenset(), (0, 0))


def test_a_kept_process_is_never_forgotten(sleeper: int) -> None:
    """The kernel may miss a child in its list, and the list is read again for each first program."""
    system = ListedChildren()
    found = Orphans(system)
    found.keep(sleeper)
    with found.starting("X=1") as started:
        started(0)
    system.listed = frozenset({sleeper})
    found.ended(0)
    found.end_all()
    assert (found.groups(), os.waitpid(sleeper, os.WNOHANG)) == (frozenset(), (0, 0))


def test_a_kept_process_that_has_ended_is_forgotten(sleeper: int) -> None:
    """Each run has a reaper, and one process may make many runs."""
    found = Orphans(ListedChildren())
    found.keep(sleeper)
    for _ in range(3):
        with subprocess.Popen(["/bin/sleep", "60"]) as ended:
            found.keep(ended.pid)
            ended.kill()
    found.keep(os.getpid())
    assert {each.pid for each in found._kept} == {sleeper, os.getpid()}


@pytest.mark.parametrize("kept", [False, True])
def test_a_process_that_got_the_pid_of_another(sleeper: int, monkeypatch: pytest.MonkeyPatch, *, kept: bool) -> None:
    """A PID that one of our children had before says nothing about the process that has it now."""
    system = ListedChildren(frozenset({sleeper}))
    found = Orphans(system)
    with monkeypatch.context() as before:
        before.setattr("unmoor.adapters.process.orphans.start_time", lambda _pid: 1)
        if kept:
            found.keep(sleeper)
            system.listed = frozenset()
        with found.starting("X=1") as started:
            started(0)
    system.listed = frozenset({sleeper})
    assert found.groups() == {sleeper}


def starts_a_daemon(folder: Path, *how: str) -> list[str]:
    """The program that starts a daemon."""
    return [sys.executable, "-I", "-S", "-c", PROGRAM, str(folder), *how]


def env() -> dict[str, str]:
    """The environment of a program."""
    return {"PATH": os.environ["PATH"]}


def daemon_of(folder: Path) -> int:
    """Wait for a daemon's PID, and return it."""
    return awaited(folder / "daemon")


@pytest.mark.parametrize("how", WAYS)
def test_no_daemon_outlives_its_program(tmp_path: Path, how: str) -> None:
    """Whatever a program starts in the background lives until the program has ended, and is gone then."""
    with Processes() as processes:
        ran = LocalShell(processes=processes).run(starts_a_daemon(tmp_path, *how.split()), cwd=tmp_path, env=env())
        assert (ran.out, ran.code) == ("lives\n", 0), ran.err
        assert not runs(daemon_of(tmp_path))


def test_programs_that_run_together(tmp_path: Path) -> None:
    """While another program runs, a daemon ends with its own program by its mark; without, with the last program."""
    marked, bare = tmp_path / "marked", tmp_path / "bare"
    with Processes() as processes:
        other = processes.start(["sleep", "60"], cwd=tmp_path, env=env())
        for folder, how in ((marked, "session twice"), (bare, "session twice bare")):
            folder.mkdir()
            LocalShell(processes=processes).run(starts_a_daemon(folder, *how.split()), cwd=tmp_path, env=env())
        assert [runs(daemon_of(marked)), runs(daemon_of(bare)), runs(other.pid)] == [False, True, True]
        processes.end(other)
        assert not runs(daemon_of(bare))


def test_the_end_of_the_run(tmp_path: Path) -> None:
    """What is left at the end of the run ends with it, even if a program was never waited for."""
    with Processes() as processes:
        child = processes.start(starts_a_daemon(tmp_path, "session", "twice", "bare", "stay"), cwd=tmp_path, env=env())
        assert runs(daemon_of(tmp_path))
    assert not runs(daemon_of(tmp_path))
    processes.end(child)


def test_other_children_of_this_process_stay(tmp_path: Path) -> None:
    """A process that no program started is no orphan, in this session or in its own."""
    strangers = [subprocess.Popen(["/bin/sleep", "60"], start_new_session=own) for own in (True, False)]
    try:
        with Processes() as processes:
            running = processes.start(["sleep", "60"], cwd=tmp_path, env=env())
            strangers.append(subprocess.Popen(["/bin/sleep", "60"]))
            LocalShell(processes=processes).run(["true"], cwd=tmp_path, env=env())
            processes.end(running)
            strangers.append(subprocess.Popen(["/bin/sleep", "60"], start_new_session=True))
        assert [each.poll() for each in strangers] == [None] * 4
    finally:
        for each in strangers:
            each.kill()
            each.wait()


def test_a_daemon_of_a_killed_parent(tmp_path: Path) -> None:
    """If this process is killed, the reaper ends the daemons that there were a moment ago, marked or not."""
    command = starts_a_daemon(tmp_path, "session", "twice", "bare", "stay")
    with subprocess.Popen([sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE) as parent:
        daemon = daemon_of(tmp_path)
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"noted\n"
        assert runs(daemon)
        parent.kill()
    assert ends(daemon)
