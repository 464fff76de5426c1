"""Linters that the user has installed; see `unmoor.ports.user_programs`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unmoor import advice
from unmoor.adapters.process.variables import tool_variables
from unmoor.errors import Cause, TimedOut, Unknown
from unmoor.filesystem.layout import find_program
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.shell import Ran, Shell


@dataclass(frozen=True, kw_only=True)
class InstalledPrograms:
    """The programs on the ``PATH`` of ``environ``."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)

    def find(self, names: Iterable[str]) -> str:
        """Return the first that is there; see `unmoor.ports.user_programs.UserPrograms`."""
        return next((name for name in names if find_program(name, self.environ)), "")

    def run(self, args: Sequence[str], *, cwd: Path, patience: float, limit: int) -> Ran:
        """Run one; see `unmoor.ports.user_programs.UserPrograms`."""
        try:
            ran = self.shell.run(args, cwd=cwd, env=tool_variables(self.environ), timeout=patience, limit=limit)
        except TimedOut as error:
            raise failure(Cause.LOST, error.what) from error
        if ran.code != 0 and (failed := child_failure(ran, args[0])) is not None:
            raise failed
        if max(len(ran.out), len(ran.err)) >= limit:
            raise Unknown(
                f"{args[0]} prints more than {limit >> 20} MB",
                retryable=False,
                next_step=advice.UPDATE_PROGRAM(program=args[0]),
            )
        return ran
