"""Run programs to their end, with a time-out, a limit on their output, and exactly the given environment."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import asdict

from unmoor.adapters.process.machine import Shortage, memory_kills, shortage
from unmoor.adapters.process.process_system import Child, OutputReader
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import Cause
from unmoor.ports.exit_codes import killer
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.shell import ProcessLimits, Ran

# Longer lines are passed on in parts of this many bytes.
_LINE = 8_192
# Seconds to read what is left in the pipes after a program has ended. Background processes may keep writing forever.
_DRAIN = 0.5
# Seconds between two looks for processes that a running program has left behind.
_LOOK = 0.25

# Colors, cursor movements and control characters, except tabs.
_UNPRINTABLE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()].|[\x00-\x08\x0a-\x1f\x7f-\x9f]")


@dataclass(frozen=True, kw_only=True)
class LocalShell:
    """Runs programs on this machine. ``umask`` applies only to the child; -1 inherits it."""

    processes: Processes
    umask: int = -1

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
        """Run to the end; see `unmoor.ports.shell.Shell`."""
        deadline = time.monotonic() + timeout
        kills = memory_kills()
        child = self.processes.start(args, cwd=cwd, env=env, umask=self.umask, stdin=stdin, limits=limits)
        out, err = _Stream(limit=limit, hear=hear), _Stream(limit=limit, hear=hear)
        over_memory = False
        try:
            with child.reading(out.take, err.take) as reader:
                over_memory = self._follow(child, reader, deadline)
        except TimeoutError:
            raise failure(
                Cause.TOO_LONG, f"{Path(args[0]).name} ran for more than {timeout:g} s and was stopped"
            ) from None
        finally:
            code = self.processes.end(child)
        found = shortage(env, cwd, kills) if code else Shortage()
        ends = "" if exact else self.processes.system.line_end
        said = out.close(errors="surrogateescape" if exact else "replace", line_end=ends)
        failed = err.close(line_end=self.processes.system.line_end)
        ran = Ran(args=tuple(args), code=code, out=said, err=failed, over_memory=over_memory, **asdict(found))
        if killer(code) and not over_memory and (error := child_failure(ran)) is not None:
            self.processes.sleep(self.processes.system.settle)
            raise error
        return ran

    def _follow(self, child: Child, reader: OutputReader, deadline: float) -> bool:
        """Read until the program ends, then drain its pipes. Returns whether it uses too much memory meanwhile.

        Raises `TimeoutError` at the deadline.
        """
        look = time.monotonic() + _LOOK
        while not child.ended():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            reader.read(min(left, _LOOK))
            self.processes.check()
            if child.over_memory():
                return True
            if time.monotonic() >= look:
                self.processes.note_orphans()
                look = time.monotonic() + _LOOK
        reader.drain(_DRAIN)
        return False


@dataclass(kw_only=True)
class _Stream:
    """The output of one stream: its first and last bytes, at most ``limit`` together, and its lines as they come."""

    limit: int
    hear: Callable[[str], None] | None
    head: bytearray = field(default_factory=bytearray)
    tail: deque[bytes] = field(default_factory=deque)
    tail_size: int = 0
    dropped: int = 0
    line: bytearray = field(default_factory=bytearray)

    def take(self, chunk: bytes) -> None:
        """Store a chunk, and pass on the lines it completes."""
        if self.hear is not None:
            self._pass_lines(chunk)
        room = self.limit // 2 - len(self.head)
        self.head += chunk[:room]
        rest = chunk[room:]
        if not rest:
            return
        self.tail.append(rest)
        self.tail_size += len(rest)
        while self.tail_size > self.limit - self.limit // 2:
            first = self.tail.popleft()
            over = min(self.tail_size - (self.limit - self.limit // 2), len(first))
            if over < len(first):
                self.tail.appendleft(first[over:])
            self.tail_size -= over
            self.dropped += over

    def close(self, *, errors: str = "replace", line_end: str = "") -> str:
        """Pass on the last line, and return the text. Each ``line_end`` that is not ours becomes ours."""
        if self.hear is not None and self.line:
            self._pass_lines(b"\n")
        cut = f"\n[{self.dropped} bytes left out]\n" if self.dropped else ""
        text = b"".join((self.head, cut.encode(), *self.tail)).decode(errors=errors)
        return text.replace(line_end, "\n") if line_end not in {"", "\n"} else text

    def _pass_lines(self, chunk: bytes) -> None:
        *whole, last = (bytes(self.line) + chunk).split(b"\n")
        *begun, rest = _cut(last)
        self.line = bytearray(rest)
        for line in (*(part for each in whole for part in _cut(each)), *begun):
            if self.hear is not None:
                self.hear(_UNPRINTABLE.sub("", line.decode(errors="replace").rstrip("\r")))


def _cut(line: bytes) -> list[bytes]:
    """A line in parts that are not too long. Rather between two words: a secret in two parts could not be masked."""
    parts = []
    while len(line) > _LINE:
        end = line.rfind(b" ", 1, _LINE) + 1 or _LINE
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]
