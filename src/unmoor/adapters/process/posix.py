"""What Linux and macOS share: sessions, process groups, signals, and pipes that can be waited for.

Every child leads its own session, so its whole group can be ended at once. Groups are registered with the `reaper`
process, which ends them if unmoor is gone.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # for mypy

import contextlib
import errno
import os
import select
import selectors
import shutil
import signal
import subprocess
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Protocol

from unmoor.adapters.process.interrupts import note_signal
from unmoor.adapters.process.process_system import GRACE, Command
from unmoor.adapters.process.reaper_link import ReaperLink
from unmoor.filesystem.layout import find_program

# Seconds between two checks for a child's end if nothing tells it.
_POLL = 0.05
_CHUNK = 65_536


class EndWatch(Protocol):
    """Tells when a child has ended, without reaping it.

    Until it is reaped, no other process can get its PID, so its group is safe to signal.
    """

    @property
    def handle(self) -> int | None:
        """A descriptor that is readable once it has ended; ``None`` if there is none, so that it has to be polled."""

    def ended(self) -> bool:
        """Whether it has ended."""

    def close(self) -> None:
        """Close the descriptor."""


class PosixChild:
    """A running program: the leader of its own session and group."""

    def __init__(self, system: PosixSystem, popen: subprocess.Popen[bytes], watch: EndWatch) -> None:
        self._system = system
        self._popen = popen
        self._watch = watch
        self._code: int | None = None

    @property
    def pid(self) -> int:
        """See `Child.pid`."""
        return self._popen.pid

    def ended(self, within: float = 0.0) -> bool:
        """See `Child.ended`. Does not reap it."""
        deadline = time.monotonic() + within
        while not self._watch.ended():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._watch.handle is None:
                time.sleep(min(left, _POLL))
            else:
                is_readable(self._watch.handle, left)
        return True

    def end(self, grace: float = GRACE) -> int:
        """See `Child.end`: TERM to the group, then KILL ``grace`` seconds later."""
        if self._code is not None:
            return self._code
        self._signal(signal.SIGTERM)
        self.ended(within=grace)
        self._signal(signal.SIGKILL)
        self.ended(within=grace)
        self._system.reaper.forget(self.pid)
        self._code = self._popen.wait()
        self._system.after(self.pid)
        for stream in (self._popen.stdout, self._popen.stderr):
            if stream is not None:
                stream.close()
        self._watch.close()
        return self._code

    @contextlib.contextmanager
    def reading(self, out: Callable[[bytes], None], err: Callable[[bytes], None]) -> Iterator[PosixReader]:
        """See `Child.reading`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._system.stopping, selectors.EVENT_READ)
            if self._watch.handle is not None:
                selector.register(self._watch.handle, selectors.EVENT_READ)
            for stream, take in ((self._popen.stdout, out), (self._popen.stderr, err)):
                selector.register(_piped(stream), selectors.EVENT_READ, take)
            yield PosixReader(selector, _POLL if self._watch.handle is None else float("inf"))

    def over_memory(self) -> bool:
        """See `Child.over_memory`."""
        return self._system.over_memory(self.pid)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the whole group. An empty group is fine."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


class PosixReader:
    """Reads pipes, and wakes with whatever else the selector watches. ``longest`` is the longest wait."""

    def __init__(self, selector: selectors.BaseSelector, longest: float) -> None:
        self._selector = selector
        self._longest = longest

    def read(self, seconds: float) -> None:
        """See `OutputReader.read`."""
        self._read(min(seconds, self._longest))

    def drain(self, seconds: float) -> None:
        """See `OutputReader.drain`."""
        patience = time.monotonic() + seconds
        while self._read(0) and time.monotonic() < patience:
            pass

    def _read(self, timeout: float) -> bool:
        """Read once from every pipe that is ready. Returns whether there was one."""
        some = False
        for key, _ in self._selector.select(timeout):
            if key.data is not None:
                chunk = os.read(key.fd, _CHUNK)
                key.data(chunk)
                some = True
                if not chunk:
                    self._selector.unregister(key.fileobj)
        return some


class _Unwatched:
    """A child whose end nobody can see: it is killed at once."""

    handle = None

    def ended(self) -> bool:
        """See `EndWatch.ended`."""
        return True

    def close(self) -> None:
        """See `EndWatch.close`."""


class PosixSystem(ABC):
    """What `process_system.ProcessSystem` wants, but for what `linux` and `darwin` do each in their own way."""

    line_end = "\n"
    settle = 0.0

    def __init__(self, mark: str, *, path: Sequence[str] = ()) -> None:
        self.reaper = ReaperLink(mark, self.close, self.keep, path=path)
        self._lock = threading.Lock()
        # Never emptied once written to, so everything that waits on the reading end wakes up, now or later.
        self.stopping, self._stop_write = os.pipe()
        os.set_blocking(self._stop_write, False)
        # Not in `close`: a thread may wait for the pipe until the end of the process, and keeps this object alive.
        weakref.finalize(self, _close_both, self.stopping, self._stop_write).atexit = False

    def find(self, program: str, *, cwd: Path, env: Mapping[str, str]) -> str | None:  # noqa: ARG002 # Windows needs it
        """See `ProcessSystem.find`. A path stays as it is given: the child resolves it in its own working folder."""
        if "/" in program:
            return shutil.which(program)
        found = find_program(program, env)
        return str(found) if found is not None else None

    def start(self, command: Command) -> PosixChild:
        """See `ProcessSystem.start`."""
        name, _, value = command.mark.partition("=")
        with self._lock, contextlib.ExitStack() as stack:
            started = stack.enter_context(self.starting(command.mark))
            self.reaper.start()
            output: int | IO[bytes] = command.log or subprocess.PIPE
            stdin = stack.enter_context(_filled_pipe(command.stdin)) if command.stdin else subprocess.DEVNULL
            popen = subprocess.Popen(
                [command.program, *command.args],
                cwd=command.cwd,
                env={**command.env, name: value},
                stdin=stdin,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=command.umask,
            )
            started(popen.pid)
            self.reaper.add(popen.pid)
        try:
            return PosixChild(self, popen, self.watch(popen.pid, command))
        except BaseException:
            PosixChild(self, popen, _Unwatched()).end(grace=0.0)
            raise

    def stop(self) -> None:
        """See `ProcessSystem.stop`. It takes no lock."""
        # A full pipe means that the run is being stopped already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._stop_write, b"x")

    def stopped(self, within: float = 0.0) -> bool:
        """See `ProcessSystem.stopped`."""
        return is_readable(self.stopping, within)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """See `ProcessSystem.guarded`: the first INT, TERM or HUP stops the run.

        Sets a handler for INT although Python has one: a shell starts background jobs with INT ignored. Leaves HUP
        ignored if ``nohup`` made it so.
        """
        watched = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            watched.append(signal.SIGHUP)

        def stop(number: int, _frame: FrameType | None) -> None:
            note_signal(number)
            for each in watched:
                signal.signal(each, signal.SIG_DFL)
            self.stop()

        before = {number: signal.signal(number, stop) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def containers(self, engine: str) -> contextlib.AbstractContextManager[None]:
        """See `ProcessSystem.containers`."""
        return self.reaper.containers(engine)

    def close(self) -> None:
        """See `ProcessSystem.close`. Runs at exit by itself."""
        self.reaper.close()

    def note_orphans(self) -> None:  # noqa: B027 # macOS does nothing here
        """See `ProcessSystem.note_orphans`. Only Linux finds orphans while programs run."""

    # What a part does in its own way.

    @abstractmethod
    def watch(self, process: int, command: Command) -> EndWatch:
        """Watch a child that was just started, and set its limits. Raises ``OSError``."""

    def over_memory(self, process: int) -> bool:  # noqa: ARG002
        """Whether a child uses more than its limits allow. False if the system enforces them."""
        return False

    def starting(self, mark: str) -> contextlib.AbstractContextManager[Callable[[int], None]]:  # noqa: ARG002
        """Start a program in this context, and report its PID to the function that this yields."""
        return contextlib.nullcontext(lambda _process: None)

    def after(self, process: int) -> None:  # noqa: B027 # macOS does nothing here
        """End what a program has left behind outside its group. It has been waited for."""

    def keep(self, process: int) -> None:  # noqa: B027 # macOS does nothing here
        """Never take a process that this one started for one that a program left behind."""


def is_readable(handle: int, seconds: float) -> bool:
    """Wait until a file descriptor is readable, for at most that long. ``select`` takes none above 1023."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(max(seconds, 0.0) * 1000))


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


def _close_both(one: int, other: int) -> None:
    os.close(one)
    os.close(other)


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # a program without pipes is not read
    return stream
