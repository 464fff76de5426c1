"""An exit code says, on every system, whether a program was ended from outside, crashed, or failed by itself."""

from __future__ import annotations

import pytest
from tests.support.systems import posix

from unmoor.ports.exit_codes import crash, exit_code, killed_by, killer


@posix
@pytest.mark.parametrize(
    ("code", "number"),
    [
        (0, 0),
        (1, 0),
        (2, 0),
        (120, 0),
        (255, 0),
        (-9, 9),
        (137, 9),
        (-15, 15),
        (143, 15),
        (130, 2),
        (129, 0),
        (-1, 1),
        (-2, 2),
        (-24, 24),
        (-40, 40),
        (-11, 0),
        (139, 0),
        (-6, 0),
        (134, 0),
        (-14, 0),
        (-8, 0),
        (-4, 0),
    ],
)
def test_signals_from_outside(code: int, number: int) -> None:
    """A signal that a program does not send itself ended it; a crash is the program's own failure."""
    assert killed_by(code) == number


@pytest.mark.parametrize(
    ("code", "by", "crashes", "shown"),
    [
        (0, "", "", "exit code 0"),
        (255, "", "", "exit code 255"),
        (-9, "signal 9 (SIGKILL)", "", "exit code -9"),
        (137, "signal 9 (SIGKILL)", "", "exit code 137"),
        (-11, "", "signal 11", "exit code -11"),
        (-40, "signal 40 (a real-time signal)", "", "exit code -40"),
        (0xC0000005, "", "0xC0000005 (access violation)", "exit code 0xC0000005 (access violation)"),
        (0xC0000005 - 2**32, "", "0xC0000005 (access violation)", "exit code 0xC0000005 (access violation)"),
        (0xC0000409, "", "0xC0000409 (abort, or a stack buffer overrun)", "exit code 0xC0000409 (abort"),
        (0xC0000026, "", "0xC0000026", "exit code 0xC0000026"),
        (0xC000013A, "Ctrl-C, Ctrl-Break or the end of its console (0xC000013A)", "", "exit code 0xC000013A (Ctrl-C"),
        (0x40010004, "the system, which logs the user off (0x40010004)", "", "exit code 0x40010004"),
        (0xC000012D, "a lack of memory (0xC000012D)", "", "exit code 0xC000012D (a lack of memory)"),
        (0xFFFFFFFF, "", "", "exit code 4294967295"),
        (0x80070005, "", "", "exit code 2147942405"),
        (0xE06D7363, "", "", "exit code 3765269347"),
    ],
)
def test_codes_of_all_systems(code: int, by: str, crashes: str, shown: str) -> None:
    """Signals, statuses of Windows in both forms, and numbers that a program chose are told apart."""
    assert (killer(code), crash(code)) == (by, crashes)
    assert exit_code(code).startswith(shown)
