"""Programs of the user's that judge files: found on the ``PATH``, run to their end.

None of them runs code of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from unmoor.ports.shell import Ran


class UserPrograms(Protocol):
    """Finds and runs programs that a user may have installed."""

    def find(self, names: Iterable[str]) -> str:
        """Return the first of some programs that is on the ``PATH``, empty if none is."""

    def run(self, args: Sequence[str], *, cwd: Path, patience: float, limit: int) -> Ran:
        """Run one of them with an allow-list of variables, without logins. Any exit code is a result.

        ``patience`` is in seconds, ``limit`` in bytes of each stream. Raises `Unknown` if it takes too long or prints
        more, `ToolMissing` if it was killed, or if the disk or the memory is full.
        """
