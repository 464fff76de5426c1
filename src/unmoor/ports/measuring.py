"""Run programs one after the other, and measure each: the time that passes, that of the processor, and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class MeasuredProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program to measure. ``env`` is its whole environment.

    What it prints goes to the file ``log``, which is written again for each program that names it. ``fine`` are the
    exit codes that are no failure.
    """

    args: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    fine: tuple[int, ...] = (0,)


class ProgramFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended and what it needed: seconds, and bytes.

    ``cpu`` counts the program and every child that it waited for, ``peak`` only the largest process of them. They are
    ``None`` if this system does not say them. ``hidden`` says that ``peak`` is only an upper limit. ``late`` says that
    the time was over before the program ended, ``absent`` that there is no such program.
    """

    wall: float
    code: int
    cpu: float | None = None
    peak: int | None = None
    hidden: bool = False
    late: bool = False
    absent: bool = False


class Measuring(Protocol):
    """Measures programs without sharing its own memory and time with them."""

    def measure(self, programs: Sequence[MeasuredProgram], *, seconds: float) -> tuple[ProgramFigures, ...]:
        """Run the programs in this order, within a time limit for all of them together.

        The first failure ends the series, and is the last of the figures.

        Raises `ToolMissing`, and `Interrupted` if the run is stopped.
        """

    def describe(self) -> str:
        """The machine in a few words: the system and its processors."""
