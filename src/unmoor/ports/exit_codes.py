"""What the exit code of a program says, on every system: whether something outside ended it, and whether it crashed.

Three ranges do not overlap, so no code needs the name of its system. 0 to 255 is what a program or a shell returns. A
small negative code is a signal, as `subprocess` reports it on POSIX. From 0xC0000000 on, and for some below, it is an
NTSTATUS of Windows ("NTSTATUS Values" in the specification [MS-ERREF]), which some callers give as a negative number
of 32 bits.
"""

from __future__ import annotations

import signal  # noqa: TID251 # only for the numbers and names of those of this system
from typing import Final

# Signals that a program causes by its own mistake or sends to itself. Every other one comes from outside. Windows has
# few of them, and macOS gives some another number.
_OWN: Final = frozenset(
    each
    for each in signal.Signals
    if each.name
    in {
        "SIGABRT",
        "SIGALRM",
        "SIGBUS",
        "SIGEMT",
        "SIGFPE",
        "SIGILL",
        "SIGPIPE",
        "SIGPROF",
        "SIGSEGV",
        "SIGSYS",
        "SIGTRAP",
        "SIGVTALRM",
    }
)
_INT, _KILL, _TERM, _PIPE = 2, 9, 15, 13  # by POSIX, the same on each system that has them
_SHELL: Final = 128  # a shell ends with this and the number if a signal ended its command
_BY_SHELL: Final = frozenset({_SHELL + _INT, _SHELL + _KILL, _SHELL + _TERM})
BROKEN_PIPE: Final = -_PIPE
"""The code of a program that wrote to a pipe that nobody reads any more. Windows has no such code."""

_SIGNALS: Final = -0x100  # a lower code is no signal
_ERRORS: Final = range(0xC000_0000, 0xD000_0000)  # what the system itself defines; 0xFFFFFFFF is exit(-1)
_FROM_OUTSIDE: Final = {
    0x4001_0004: "the system, which logs the user off",
    0xC000_0017: "a lack of memory",
    0xC000_009A: "a lack of system resources",
    0xC000_012D: "a lack of memory",
    0xC000_013A: "Ctrl-C, Ctrl-Break or the end of its console",
}
_CRASHES: Final = {
    0x8000_0003: "a breakpoint",
    0xC000_0005: "access violation",
    0xC000_0006: "a page that cannot be read",
    0xC000_001D: "illegal instruction",
    0xC000_008C: "array bounds exceeded",
    0xC000_0094: "integer division by zero",
    0xC000_00FD: "stack overflow",
    0xC000_0135: "a missing DLL",
    0xC000_0139: "a DLL without a function that it needs",
    0xC000_0142: "a DLL that does not initialize",
    0xC000_0374: "heap corruption",
    0xC000_0409: "abort, or a stack buffer overrun",
}


def killed_by(code: int) -> int:
    """The number of the signal from outside that ended a program, 0 if none did. ``code`` is its exit code.

    A program that crashes (SIGSEGV, SIGABRT …) fails by itself.
    """
    if code in _BY_SHELL:
        return code - _SHELL
    return -code if _SIGNALS < code < 0 and -code not in _OWN else 0


def killer(code: int) -> str:
    """What from outside ended a program, as "killed by …" continues; empty if nothing did."""
    if number := killed_by(code):
        return f"signal {number} ({_name(number)})"
    status = code & 0xFFFF_FFFF
    return f"{_FROM_OUTSIDE[status]} ({_hexadecimal(status)})" if status in _FROM_OUTSIDE else ""


def crash(code: int) -> str:
    """How a program crashed, as "crashes with …" continues; empty if it did not, or was ended from outside."""
    status = code & 0xFFFF_FFFF
    if killer(code):
        return ""
    if _SIGNALS < code < 0:
        return f"signal {-code}"
    if status in _CRASHES:
        return f"{_hexadecimal(status)} ({_CRASHES[status]})"
    return _hexadecimal(status) if status in _ERRORS else ""


def exit_code(code: int) -> str:
    """Name an exit code for people: a number, and what Windows means by it."""
    meaning = _FROM_OUTSIDE | _CRASHES
    status = code & 0xFFFF_FFFF
    if status in meaning:
        return f"exit code {_hexadecimal(status)} ({meaning[status]})"
    return f"exit code {_hexadecimal(status) if status in _ERRORS else code}"


def _hexadecimal(status: int) -> str:
    return f"0x{status:08X}"


def _name(number: int) -> str:
    names = {_KILL: "SIGKILL", _TERM: "SIGTERM"}  # of a container, on a system that has neither
    try:
        return names.get(number) or signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
