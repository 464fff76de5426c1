"""Other programs: run to their end, within limits of time and output, and never left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a program ended. ``out`` and ``err`` are decoded, and shortened in the middle at the limit."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str


class Shell(Protocol):
    """Runs programs by argument list, never through a shell."""

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout: float = 600.0,
        limit: int = 1_000_000,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run to the end. ``env`` is the whole environment, ``timeout`` in seconds, ``limit`` in bytes per stream.

        ``hear`` gets each line as it comes. A non-zero exit code is a result, not an error. Raises
        `ToolMissing` if there is no such program, `TimedOut`, `Interrupted`.
        """
