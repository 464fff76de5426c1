"""Measure programs by a small launcher: `unmoor.adapters.process.launcher`, in a process of its own.

A launcher runs a whole series, so that its start takes no part of a round.
"""

from __future__ import annotations

import marshal
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

from unmoor.adapters.process import launcher
from unmoor.adapters.process.capacity import processors
from unmoor.adapters.process.system import this_system
from unmoor.errors import TimedOut
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.failure import child_failure
from unmoor.ports.measuring import MeasuredProgram, ProgramFigures
from unmoor.ports.shell import Shell
from unmoor.util.decode import decode_json
from unmoor.util.text import count_of

_LIMIT = 10_000_000
# Compiled code and programs, as `marshal` writes them, because reading JSON would need more memory.
_START = """
import marshal, sys
with open(sys.argv[1], "rb") as file:
    code, programs = marshal.load(file)
exec(code)
main(programs)
"""


@dataclass(frozen=True, kw_only=True)
class LaunchedPrograms:
    """Measures programs; see `unmoor.ports.measuring.Measuring`."""

    shell: Shell

    def measure(self, programs: Sequence[MeasuredProgram], *, seconds: float) -> tuple[ProgramFigures, ...]:
        """Run the programs in this order, until one fails or the time is over."""
        lines: list[str] = []
        with temporary_folder() as folder:
            plan = folder / "plan"
            plan.write_bytes(marshal.dumps((self._code, [_plain(each) for each in programs])))
            try:
                ran = self.shell.run(
                    [sys.executable, "-I", "-S", "-c", _START, str(plan)],
                    cwd=folder,
                    env={"PYTHONUTF8": "1"},
                    timeout=seconds,
                    limit=_LIMIT,
                    hear=lines.append,
                )
            except TimedOut:
                lines.append('{"wall": 0, "code": 1, "late": true}')
                ran = None
        if ran is not None and ran.code:
            error = child_failure(ran, "the launcher of measured programs")
            raise error or RuntimeError(f"the launcher of measured programs failed: {ran.err[-2000:]}")
        return tuple(decode_json(line, ProgramFigures) for line in lines)

    @cached_property
    def _code(self) -> CodeType:
        source = Path(launcher.__file__)
        return compile(source.read_bytes(), str(source), "exec", dont_inherit=True)

    def describe(self) -> str:
        """The machine in a few words."""
        return f"{this_system().title}, {platform.machine()}, {count_of(processors(), 'processor')}"


def _plain(program: MeasuredProgram) -> dict[str, Any]:
    """What the launcher reads: texts and numbers only."""
    return {
        "args": list(program.args),
        "cwd": str(program.cwd),
        "env": dict(program.env),
        "log": str(program.log),
        "fine": list(program.fine),
    }
