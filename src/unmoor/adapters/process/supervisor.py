"""The one module that owns processes: none of them outlives us, ``kill -9`` of us included.

Every child leads its own session, so that its whole group can be ended at once. Groups are noted with
a keeper (``reaper``), which ends them when we are gone. `Processes.stop` may be called from a
signal handler: it takes no lock, and wakes everything that waits, here and in `Processes.sleep`.
``PR_SET_PDEATHSIG`` was tried and left out: it misses grandchildren and follows the thread.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from unmoor.errors import Interrupted, ToolMissing

MARK = "UNMOOR_RUN"
GRACE = 2.0
# Where the kernel has no pidfd, a child's end is looked for this often, in seconds.
_POLL = 0.05


@dataclass(kw_only=True)
class Child:
    """A running program: the leader of its own session and group. Its end is `Processes.end`."""

    popen: subprocess.Popen[bytes]
    pidfd: int | None
    code: int | None = field(default=None)

    @property
    def out(self) -> IO[bytes]:
        """Its standard output."""
        return _piped(self.popen.stdout)

    @property
    def err(self) -> IO[bytes]:
        """Its standard error."""
        return _piped(self.popen.stderr)

    def ended(self, within: float = 0.0) -> bool:
        """Whether the leader has ended, after waiting at most so many seconds. It is not reaped here."""
        deadline = time.monotonic() + within
        while True:
            # Not reaped: until then its number cannot become another process's, so its group is safe to signal.
            if os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self.pidfd is None:
                time.sleep(min(left, _POLL))
            else:
                select.select([self.pidfd], [], [], left)


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101  # every child is started with both pipes
    return stream


class Processes:
    """All the programs of one run, and the means to stop them together. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = f"{MARK}={secrets.token_hex(16)}"
        self._reaper: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()
        self._engines: Counter[str] = Counter()
        # Never emptied once written to: whoever waits on the reading end wakes up, now or later.
        self._stop_read, self._stop_write = os.pipe()
        os.set_blocking(self._stop_write, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def stopping(self) -> int:
        """A file descriptor that is readable once the run is being stopped."""
        return self._stop_read

    @property
    def run(self) -> str:
        """What tells this run from all others: the value of its containers' label."""
        return self._mark.partition("=")[2]

    @contextlib.contextmanager
    def containers(self, engine: str) -> Iterator[None]:
        """Have the keeper remove this run's containers from an engine if we die in here; see ``reaper``."""
        self.check()
        with self._lock:
            self._start_reaper()
            self._engines[engine] += 1
            self._tell(f"@{engine}\n")
        try:
            yield
        finally:
            with self._lock:
                self._engines[engine] -= 1
                self._tell(f"~{engine}\n")

    def stop(self) -> None:
        """Stop the run: every wait ends in `Interrupted`, every program is ended. Safe in a signal handler."""
        # Full means that it was told so many times already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._stop_write, b"x")

    def check(self) -> None:
        """Raise `Interrupted` where the run is being stopped."""
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run is being stopped."""
        ready, _, _ = select.select([self._stop_read], [], [], max(seconds, 0.0))
        if ready:
            raise Interrupted("the run was stopped")

    def start(
        self, args: Sequence[str], *, cwd: Path, env: Mapping[str, str], umask: int = -1, log: Path | None = None
    ) -> Child:
        """Start a program in a session of its own. ``env`` is the whole environment, but for a mark of ours.

        What it prints goes to the file ``log``, else to the pipes `Child.out` and `Child.err`.

        Raises `ToolMissing` if there is no such program, `Interrupted`.
        """
        self.check()
        program = _found(args[0], env)
        with self._lock, contextlib.ExitStack() as stack:
            self._start_reaper()
            printed = subprocess.PIPE if log is None else stack.enter_context(log.open("wb"))
            try:
                popen = subprocess.Popen(
                    [program, *args[1:]],
                    cwd=cwd,
                    env={**env, **dict([self._mark.split("=")])},
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    start_new_session=True,
                    umask=umask,
                )
            except OSError as error:
                raise _not_started(args[0], cwd, error) from error
            self._groups.add(popen.pid)
            self._tell(f"+{popen.pid}\n")
        return Child(popen=popen, pidfd=_pidfd(popen.pid))

    def end(self, child: Child, *, grace: float = GRACE) -> int:
        """End a program and what it started in its group: TERM, then KILL ``grace`` seconds later. Returns its code."""
        if child.code is not None:
            return child.code
        _signal(child, signal.SIGTERM)
        child.ended(within=grace)
        _signal(child, signal.SIGKILL)
        child.ended(within=grace)
        with self._lock:
            self._groups.discard(child.popen.pid)
            self._tell(f"-{child.popen.pid}\n")
        child.code = child.popen.wait()
        for stream in (child.popen.stdout, child.popen.stderr):
            if stream is not None:
                stream.close()
        if child.pidfd is not None:
            os.close(child.pidfd)
        return child.code

    def close(self) -> None:
        """End whatever still runs, and the keeper. Called at exit by itself; calling it twice does nothing more."""
        with self._lock:
            keeper, self._reaper = self._reaper, None
        if keeper is not None:
            atexit.unregister(self.close)
            _piped(keeper.stdin).close()
            keeper.wait()

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Let the first INT, TERM or HUP stop the run, and a second one end it at once. For the main thread.

        Handlers are set for INT too, though Python has one: a shell starts what it runs in the background
        with INT ignored. A HUP that ``nohup`` switched off stays off.
        """
        watched = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            watched.append(signal.SIGHUP)

        def heard(_number: int, _frame: FrameType | None) -> None:
            for number in watched:
                signal.signal(number, signal.SIG_DFL)
            self.stop()

        before = {number: signal.signal(number, heard) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_reaper(self) -> None:
        """Start the keeper where there is none, or where it was killed. The lock is held."""
        if self._reaper is not None and self._reaper.poll() is None:
            return
        if self._reaper is None:
            atexit.register(self.close)
        else:
            _piped(self._reaper.stdin).close()
        self._reaper = _spawn_reaper(self._mark)
        for group in self._groups:
            self._tell(f"+{group}\n")
        for engine in self._engines.elements():
            self._tell(f"@{engine}\n")

    def _tell(self, line: str) -> None:
        """Write one line to the keeper; a keeper that was killed is replaced by the next start. The lock is held."""
        if self._reaper is not None:
            with contextlib.suppress(BrokenPipeError):
                _piped(self._reaper.stdin).write(line.encode())


def _spawn_reaper(mark: str) -> subprocess.Popen[bytes]:
    """Start a keeper for what carries a mark; what is to be ended with us is told to its standard input."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-E", str(Path(__file__).with_name("reaper.py")), mark],
        cwd="/",
        # Without the mark, and without the terminal or the pipes of a caller who waits for their end.
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )


def _found(program: str, env: Mapping[str, str]) -> str:
    """Find a program on the PATH it will see itself."""
    found = shutil.which(program, path=env.get("PATH", os.defpath))
    if found is None:
        raise ToolMissing(f"there is no program {program!r}", next_step=f"install {Path(program).name}")
    return found


def _not_started(program: str, cwd: Path, error: OSError) -> ToolMissing:
    """Say why the system would not start a program: it, its interpreter, or the folder to start it in is not there."""
    lacking = f"the folder {cwd}" if not cwd.is_dir() else repr(program)
    return ToolMissing(f"{lacking} cannot be used: {error.strerror}", next_step="see that it exists and may be run")


def _pidfd(process: int) -> int | None:
    """A descriptor that becomes readable when the process ends; ``None`` where the kernel has none (before 5.3)."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal a child's whole group; one that has no member left is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.popen.pid, number)
