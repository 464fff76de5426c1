"""What this machine ran out of, as Windows tells it; tests/adapters/process/test_shell.py has the other systems."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from unmoor.adapters.process import machine


@pytest.mark.parametrize(
    ("free", "full", "tight"),
    [(0, True, True), (4096, True, True), (1 << 29, False, True), (1 << 40, False, False)],
)
def test_a_disk_of_windows(monkeypatch: pytest.MonkeyPatch, free: int, full: bool, tight: bool) -> None:  # noqa: FBT001 # a case
    """A disk without space is named, and one with little; a folder that this system does not have is none."""

    def disk_usage(folder: str) -> SimpleNamespace:
        if not folder.startswith("C:"):
            raise FileNotFoundError(folder)
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    monkeypatch.setattr(machine, "_space", machine.free_of_disk)
    found = machine.shortage({"TEMP": "C:\\Temp"}, Path("/nowhere"), 0)
    assert (found.full, found.tight) == ("C:\\Temp" * full, "C:\\Temp" * tight)


def test_the_disk_of_this_machine(tmp_path: Path) -> None:
    """The real call gives a number."""
    free = machine.free_of_disk(str(tmp_path))
    assert free is not None
    assert free > 0
