"""Processes that a test follows by their numbers, on every system."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import psutil


def awaited(path: Path, within: float = 20.0) -> int:
    """Wait for the PID that a process writes into a file, and return it."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text("utf-8").strip()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError(path.name)


def runs(process: int) -> bool:
    """Whether a process runs. A zombie does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_of(processes: Iterable[int], within: float = 15.0) -> list[int]:
    """Wait until none of the processes runs, and return those that still do: a killed one is seen for a moment."""
    numbers = list(processes)
    deadline = time.monotonic() + within
    while (left := [number for number in numbers if runs(number)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def ends(process: int) -> bool:
    """Whether a process ends within some seconds."""
    return not left_of([process])
