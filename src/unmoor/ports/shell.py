"""Other programs: run to their end, within limits of time and output, and never left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended. ``out`` and ``err`` are decoded, and shortened in the middle at the limit.

    If it failed: ``full`` is a folder it writes to that has no space left, ``tight`` one with little, both empty if
    there is none; ``starved`` says that the system killed a process for lack of memory meanwhile. ``over_memory``: it
    was ended because it used more than its own limit.
    """

    args: tuple[str, ...]
    code: int
    out: str
    err: str
    full: str = ""
    tight: str = ""
    starved: bool = False
    over_memory: bool = False


class ProcessLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one program may use: bytes of memory, and seconds of the processor.

    Linux counts its address space and Windows what it commits, and both refuse more. On macOS it is ended soon after it
    has more in memory. The seconds are for a program whose parent is gone. There the reaper ends it on macOS.
    """

    memory: int
    seconds: int


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
        stdin: bytes = b"",
        exact: bool = False,
        limits: ProcessLimits | None = None,
    ) -> Ran:
        """Run to the end. ``env`` is the whole environment, ``timeout`` in seconds, ``limit`` in bytes per stream.

        ``stdin`` is what the program can read there, once: at most 64 kB, so that a pipe holds it.
        ``exact`` decodes so that ``out.encode(errors="surrogateescape")`` is what the program wrote.
        ``hear`` gets each line as it comes. ``limits`` hold for the program itself. A non-zero exit code is a result,
        not an error; see `unmoor.ports.failure.child_failure`. Raises `ToolMissing` if there is no such program or if
        something outside ended it, `TimedOut`, `Interrupted`.
        """
