"""Programs are measured one after the other, apart from unmoor's own time and memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.adapters.measuring import LaunchedPrograms
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.ports.measuring import MeasuredProgram, ProgramFigures


def measured(folder: Path, *programs: str, seconds: float = 60.0, fine: tuple[int, ...] = (0,)) -> list[ProgramFigures]:
    """Measure Python programs."""
    with Processes() as processes:
        launcher = LaunchedPrograms(shell=LocalShell(processes=processes))
        listed = [
            MeasuredProgram(
                args=(sys.executable, "-I", "-c", text) if text != "absent" else ("no-such-program",),
                cwd=folder,
                env={"VALUE": "ü"},
                log=folder / "log",
                fine=fine,
            )
            for text in programs
        ]
        return list(launcher.measure(listed, seconds=seconds))


def test_time_and_output(tmp_path: Path) -> None:
    """Each program has its time, the folder, the environment, and the file for its output."""
    first, second = measured(
        tmp_path, "import time; time.sleep(0.2)", "import os; print(os.environ['VALUE'], os.getcwd())"
    )
    assert first.wall >= 0.2
    assert (first.code, second.code) == (0, 0)
    assert (tmp_path / "log").read_text("utf-8").split() == ["ü", str(tmp_path)]


@posix
def test_memory_and_processor(tmp_path: Path) -> None:
    """The peak is the program's own, although the tests need much more, and waiting is no work."""
    small, large, busy = measured(
        tmp_path,
        "import time; time.sleep(0.3)",
        "x = b'x' * 40_000_000",
        "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass",
    )
    assert small.peak is not None
    assert large.peak is not None
    assert small.peak < 30_000_000 < large.peak < 80_000_000
    assert small.cpu is not None
    assert busy.cpu is not None
    assert small.cpu < 0.3 <= busy.cpu


@pytest.mark.parametrize(
    ("failing", "figures"),
    [
        ("raise SystemExit(3)", ProgramFigures(wall=0, code=3)),
        ("absent", ProgramFigures(wall=0, code=127, absent=True)),
    ],
    ids=["code", "absent"],
)
def test_a_failure_ends_the_series(tmp_path: Path, failing: str, figures: ProgramFigures) -> None:
    """It is the last of the figures, and programs after it do not run."""
    found = measured(tmp_path, "pass", failing, "open('ran', 'w')")
    assert [(each.code, each.absent) for each in found] == [(0, False), (figures.code, figures.absent)]
    assert not (tmp_path / "ran").exists()


def test_some_exit_codes_are_fine(tmp_path: Path) -> None:
    """A program with such a code does not end the series."""
    assert [each.code for each in measured(tmp_path, "raise SystemExit(1)", "pass", fine=(0, 1))] == [1, 0]


def test_the_time_of_a_series(tmp_path: Path) -> None:
    """When it is over, the program that runs is ended, and the figures of the others stay."""
    first, second = measured(tmp_path, "pass", "import time; time.sleep(60)", seconds=3)
    assert (first.code, first.late) == (0, False)
    assert second.late
