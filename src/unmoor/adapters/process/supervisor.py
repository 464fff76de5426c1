"""Owns all child processes: none of them outlives unmoor, even after ``kill -9``.

Every child leads its own session, so its whole group can be ended at once. Groups are registered with the `reaper`
process, which ends them if unmoor is gone. `orphans` finds what leaves its group. `Processes.stop` is safe in a signal
handler: it takes no lock, and wakes everything that waits, here and in `Processes.sleep`. ``PR_SET_PDEATHSIG`` does not
suffice: it misses grandchildren and is bound to the thread.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from unmoor import advice
from unmoor.adapters.process.orphans import orphans
from unmoor.adapters.process.protection import protection
from unmoor.adapters.process.variables import is_public
from unmoor.errors import Interrupted, ToolMissing
from unmoor.filesystem.safe_folder import open_in_place
from unmoor.util.concurrency import is_readable

MARK = "UNMOOR_RUN"
GRACE = 2.0
# Seconds between two checks for a child's end if the kernel has no pidfd.
_POLL = 0.05


@dataclass(kw_only=True)
class Child:
    """A running program: the leader of its own session and group. End it with `Processes.end`."""

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
        """Whether the leader has ended, after waiting at most ``within`` seconds. Does not reap it."""
        deadline = time.monotonic() + within
        while True:
            # Until it is reaped, no other process can get its PID, so its group is safe to signal.
            if os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self.pidfd is None:
                time.sleep(min(left, _POLL))
            else:
                is_readable(self.pidfd, left)


def _close_both(one: int, other: int) -> None:
    os.close(one)
    os.close(other)


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101  # every child is started with both pipes
    return stream


class Processes:
    """All programs of one run, and a way to stop them together. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = f"{MARK}={secrets.token_hex(16)}"
        self._reaper: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()
        self._orphaned: frozenset[int] = frozenset()
        self._started = 0
        self._engines: Counter[str] = Counter()
        # Never emptied once written to, so everything that waits on the reading end wakes up, now or later.
        self._stop_read, self._stop_write = os.pipe()
        os.set_blocking(self._stop_write, False)
        # Not in `close`: a thread may wait for the pipe until the end of the process, and keeps this object alive.
        weakref.finalize(self, _close_both, self._stop_read, self._stop_write).atexit = False
        protection().hide(_is_public)
        protection().adopt()

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
        """The id of this run: the value of its containers' label."""
        return self._mark.partition("=")[2]

    @contextlib.contextmanager
    def containers(self, engine: str) -> Iterator[None]:
        """Have the reaper remove this run's containers from an engine if unmoor dies in this context."""
        self.check()
        with self._lock:
            self._start_reaper()
            self._engines[engine] += 1
            self._notify_reaper(f"@{engine}\n")
        try:
            yield
        finally:
            with self._lock:
                self._engines[engine] -= 1
                self._notify_reaper(f"~{engine}\n")

    def stop(self) -> None:
        """Stop the run: every wait raises `Interrupted`, every program is ended. Safe in a signal handler."""
        # A full pipe means that the run is being stopped already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._stop_write, b"x")

    def check(self) -> None:
        """Raise `Interrupted` if the run is being stopped."""
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` if the run is being stopped."""
        if is_readable(self._stop_read, max(seconds, 0.0)):
            raise Interrupted("the run was stopped")

    def start(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        umask: int = -1,
        log: Path | None = None,
        stdin: bytes = b"",
    ) -> Child:
        """Start a program in its own session. ``env`` is its whole environment, except for the run's mark.

        Output goes to the file ``log``, or to the pipes `Child.out` and `Child.err` if there is no log. ``stdin`` is
        what the program can read there, at most 64 kB.

        Raises `ToolMissing` if there is no such program, and `Interrupted`.
        """
        self.check()
        program = _find(args[0], env)
        with self._lock, contextlib.ExitStack() as stack:
            self._started += 1
            mark = f"{self._mark}.{self._started}"
            started = stack.enter_context(orphans().starting(mark))
            self._start_reaper()
            output: int | IO[bytes] = subprocess.PIPE
            if log is not None:
                output = stack.enter_context(os.fdopen(open_in_place(log, empty=True), "wb"))
            try:
                popen = subprocess.Popen(
                    [program, *args[1:]],
                    cwd=cwd,
                    env={**env, **dict([mark.split("=")])},
                    stdin=stack.enter_context(_filled_pipe(stdin)) if stdin else subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    umask=umask,
                )
            except OSError as error:
                raise _not_started(args[0], cwd, error) from error
            started(popen.pid)
            self._groups.add(popen.pid)
            self._notify_reaper(f"+{popen.pid}\n")
        return Child(popen=popen, pidfd=_pidfd(popen.pid))

    def end(self, child: Child, *, grace: float = GRACE) -> int:
        """End a program and its group: TERM, then KILL ``grace`` seconds later. Returns its exit code."""
        if child.code is not None:
            return child.code
        _signal(child, signal.SIGTERM)
        child.ended(within=grace)
        _signal(child, signal.SIGKILL)
        child.ended(within=grace)
        with self._lock:
            self._groups.discard(child.popen.pid)
            self._notify_reaper(f"-{child.popen.pid}\n")
        child.code = child.popen.wait()
        orphans().ended(child.popen.pid)
        if self._orphaned:
            self.note_orphans()
        for stream in (child.popen.stdout, child.popen.stderr):
            if stream is not None:
                stream.close()
        if child.pidfd is not None:
            os.close(child.pidfd)
        return child.code

    def note_orphans(self) -> None:
        """Tell the reaper what programs have left behind so far, for the case that unmoor is killed before they end."""
        now = orphans().groups()
        with self._lock:
            for sign, groups in (("+", now - self._orphaned), ("-", self._orphaned - now)):
                for group in groups:
                    self._notify_reaper(f"{sign}{group}\n")
            self._orphaned = now

    def close(self) -> None:
        """End whatever still runs, and the reaper. Runs at exit by itself; a second call does nothing."""
        with self._lock:
            reaper, self._reaper = self._reaper, None
        if reaper is not None:
            atexit.unregister(self.close)
            _piped(reaper.stdin).close()
            reaper.wait()
            orphans().end_all()

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Stop the run on the first INT, TERM or HUP; a second one ends it at once. Only for the main thread.

        Sets a handler for INT although Python has one: a shell starts background jobs with INT ignored. Leaves HUP
        ignored if ``nohup`` made it so.
        """
        watched = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            watched.append(signal.SIGHUP)

        def stop(_number: int, _frame: FrameType | None) -> None:
            for number in watched:
                signal.signal(number, signal.SIG_DFL)
            self.stop()

        before = {number: signal.signal(number, stop) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_reaper(self) -> None:
        """Start the reaper if there is none, or if it was killed. The caller holds the lock."""
        if self._reaper is not None and self._reaper.poll() is None:
            return
        if self._reaper is None:
            atexit.register(self.close)
        else:
            _piped(self._reaper.stdin).close()
        self._reaper = _spawn_reaper(self._mark)
        orphans().keep(self._reaper.pid)
        for group in self._groups | self._orphaned:
            self._notify_reaper(f"+{group}\n")
        for engine in self._engines.elements():
            self._notify_reaper(f"@{engine}\n")

    def _notify_reaper(self, line: str) -> None:
        """Write one line to the reaper. The next start replaces a killed reaper. The caller holds the lock."""
        if self._reaper is not None:
            with contextlib.suppress(BrokenPipeError):
                _piped(self._reaper.stdin).write(line.encode())


def _is_public(name: str, value: str) -> bool:
    """Whether other processes may see a variable of this one. An outer unmoor finds its processes by the mark."""
    return name == MARK or is_public(name, value)


def _spawn_reaper(mark: str) -> subprocess.Popen[bytes]:
    """Start a reaper for processes with a mark. Its standard input takes the lines that `reaper` describes."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-E", str(Path(__file__).with_name("reaper.py")), mark],
        cwd="/",
        # Without the mark, and without the terminal or pipes of a caller that waits for them to close.
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )


@contextlib.contextmanager
def _filled_pipe(content: bytes) -> Iterator[int]:
    """Yield the reading end of a pipe that holds some bytes and then ends. Raises ``OSError`` if they do not fit."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        if os.write(writing, content) < len(content):
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        os.close(writing)
        writing = -1
        yield reading
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def _find(program: str, env: Mapping[str, str]) -> str:
    """Find a program on the PATH of its own environment."""
    found = shutil.which(program, path=env.get("PATH", os.defpath))
    if found is None:
        raise ToolMissing(
            f"there is no program {program!r}", next_step=advice.INSTALL_PROGRAM(program=Path(program).name)
        )
    return found


def _not_started(program: str, cwd: Path, error: OSError) -> ToolMissing:
    """Return the error for a program that cannot start: it, its interpreter or the working folder is missing."""
    unusable = f"the folder {cwd}" if not cwd.is_dir() else repr(program)
    return ToolMissing(f"cannot use {unusable}: {error.strerror}", next_step=advice.CHECK_PROGRAM())


def _pidfd(process: int) -> int | None:
    """A descriptor that becomes readable when the process ends; ``None`` if the kernel has none (before 5.3)."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal a child's whole group. An empty group is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.popen.pid, number)
