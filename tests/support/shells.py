"""Shells for tests, which share what ends their programs.

With its first program every run of unmoor starts a program that outlives it, the reaper. That takes longer than most of
what a test does, so the next test goes on with a run that is as good as a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes

_IDLE: list[Processes] = []


@contextmanager
def processes_for_tests() -> Iterator[Processes]:
    """Give processes that nothing runs in. They end with this context."""
    processes = _IDLE.pop() if _IDLE else Processes()
    kept = False
    try:
        yield processes
        kept = _is_as_good_as_new(processes)
    finally:
        if kept:
            _IDLE.append(processes)
        else:
            processes.close()


@contextmanager
def shell_for_tests() -> Iterator[LocalShell]:
    """Give a shell. Its processes are stopped at the end of the test."""
    with processes_for_tests() as processes:
        yield LocalShell(processes=processes)


def end_idle() -> None:
    """End what is kept for the next test."""
    while _IDLE:
        _IDLE.pop().close()


def _is_as_good_as_new(processes: Processes) -> bool:
    """Whether nobody has stopped the processes, and the reaper has nothing to end. Never without a reaper."""
    reaper = getattr(processes.system, "reaper", None)
    return not (reaper is None or reaper._groups or reaper._engines or processes.system.stopped())
