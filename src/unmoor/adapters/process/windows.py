"""Windows: each program and all that it starts are in a job object, which ends with the last handle of it.

Only unmoor has one, so the kernel ends the programs if unmoor is ended in whatever way: there is no `reaper` here. A
program is created suspended and runs only once it is in its job, so nothing that it starts can be outside. What other
programs start for it can: the task scheduler, WMI, a service. Unmoor is in a job of its own, into which programs are
born: if unmoor is ended before a program is in its job, the suspended program ends too.

Pipes cannot be waited for on Windows, so threads read them, and everything that waits waits for handles: of the stop,
the process and the data.

The calls of the system are behind `WindowsCalls`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from unmoor.adapters.process.batch_files import require_safe
from unmoor.adapters.process.process_system import GRACE, LARGEST_INPUT, Command
from unmoor.adapters.process.windows_calls import (
    CLOSE,
    ENDED_BY_CONSOLE,
    LOG_OFF,
    SHUT_DOWN,
    Event,
    Handle,
    JobObject,
    Process,
    WindowsCalls,
)
from unmoor.filesystem.windows_programs import find_program, variable

STOPPED = 130
"""The exit code of unmoor itself if it is stopped."""

_FINAL: Final = frozenset({CLOSE, LOG_OFF, SHUT_DOWN})
_CHUNK: Final = 65_536
# Chunks that may wait to be passed on. Then a program waits until there is room, as it does for a full pipe.
_WAITING: Final = 16
# Seconds between two looks whether all processes of a job have ended.
_PAUSE: Final = 0.01
# Seconds that Windows gives to a process whose console closes. It ends the process then, or when the handler returns.
_CLOSING: Final = 5.0
# No program runs without the first: it is where the system finds its own libraries.
_NEEDED: Final = ("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT")


class WindowsChild:
    """A running program, and its job."""

    def __init__(self, system: WindowsSystem, process: Process, job: JobObject) -> None:
        self._system = system
        self._process = process
        self._job = job
        self._code: int | None = None
        _, *self._unread = process.pipes

    @property
    def pid(self) -> int:
        """See `Child.pid`."""
        return self._process.pid

    def ended(self, within: float = 0.0) -> bool:
        """See `Child.ended`."""
        return self._code is not None or self._system.kernel.wait([self._process], within)

    def end(self, grace: float = GRACE) -> int:
        """See `Child.end`: Ctrl-Break to the group, then the end of the job ``grace`` seconds later."""
        if self._code is not None:
            return self._code
        if not self.ended() and self._process.send_break():
            self.ended(within=grace)
        self.kill()
        # Until its processes have ended, no file that they have open can be removed.
        deadline = time.monotonic() + GRACE
        while self._job.active() and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        self.ended(within=GRACE)
        self._code = self._process.code()
        self._system.forget(self)
        self._job.close()
        self._process.close()
        for pipe in filter(None, self._unread):
            pipe.close()
        return self._code

    def kill(self) -> None:
        """End its job."""
        self._job.terminate(ENDED_BY_CONSOLE)

    @contextlib.contextmanager
    def reading(self, out: Callable[[bytes], None], err: Callable[[bytes], None]) -> Iterator[WindowsReader]:
        """See `Child.reading`."""
        kernel = self._system.kernel
        reader = WindowsReader(kernel, kernel.event(), [self._system.stopping, self._process])
        pipes, self._unread = self._unread, []
        for pipe, take in zip(pipes, (out, err), strict=True):
            assert pipe is not None  # a program without pipes is not read
            reader.begin(pipe, take)
        try:
            yield reader
        finally:
            reader.close()

    def over_memory(self) -> bool:
        """See `Child.over_memory`: the job has the limits."""
        return False


class WindowsReader:
    """Passes on what threads have read from pipes. ``others`` are handles that wake it, too."""

    def __init__(self, kernel: WindowsCalls, data: Event, others: Sequence[Handle]) -> None:
        self._kernel = kernel
        self._data = data
        self._others = others
        self._read: deque[tuple[Callable[[bytes], None], bytes]] = deque()
        self._open = 0
        self._room = threading.Semaphore(_WAITING)
        self._closed = False

    def begin(self, stream: IO[bytes], take: Callable[[bytes], None]) -> None:
        """Read a pipe in a thread, until its end.

        Only this thread closes it: to close a pipe that another one reads waits for what may never come.
        """
        self._open += 1

        def run() -> None:
            chunk = b"x"
            with stream:
                while chunk:
                    try:
                        chunk = os.read(stream.fileno(), _CHUNK)
                    except OSError:  # the other side broke off
                        chunk = b""
                    self._room.acquire()
                    if self._closed:
                        return
                    self._read.append((take, chunk))
                    self._data.set()

        threading.Thread(target=run, daemon=True).start()

    def read(self, seconds: float) -> None:
        """See `OutputReader.read`."""
        self._kernel.wait([*self._others, self._data], seconds)
        self._pass_on()

    def drain(self, seconds: float) -> None:
        """See `OutputReader.drain`. A thread may still be about to read, so this waits for the end of the pipes."""
        patience = time.monotonic() + seconds
        self._pass_on()
        while self._open and (left := patience - time.monotonic()) > 0:
            self._kernel.wait([self._data], left)
            self._pass_on()

    def _pass_on(self) -> None:
        self._data.clear()  # before the look: what comes after it sets it again
        while self._read:
            take, chunk = self._read.popleft()
            self._room.release()
            self._open -= not chunk
            take(chunk)

    def close(self) -> None:
        """Let the threads end: nobody wants more."""
        self._closed = True
        self._room.release(2)


class WindowsSystem:
    """See `process_system.ProcessSystem`."""

    line_end = "\r\n"
    settle = 0.5

    def __init__(self, kernel: WindowsCalls) -> None:
        self.kernel = kernel
        kernel.enter_job()
        self.stopping = kernel.event()
        self._lock = threading.Lock()
        self._running: set[WindowsChild] = set()

    def find(self, program: str, *, cwd: Path, env: Mapping[str, str]) -> str | None:
        """See `ProcessSystem.find`."""
        return find_program(program, cwd=cwd, env=env, is_program=self.kernel.is_program)

    def start(self, command: Command) -> WindowsChild:
        """See `ProcessSystem.start`. Raises `ToolMissing` for a batch file with arguments that cmd.exe changes."""
        require_safe(command.program, command.args)
        if len(command.stdin) > LARGEST_INPUT:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        name, _, value = command.mark.partition("=")
        needed = {
            each: os.environ[each] for each in _NEEDED if each in os.environ and variable(command.env, each) is None
        }
        job = self.kernel.job(command.limits)
        try:
            process = self.kernel.spawn(
                [command.program, *command.args], command, {**command.env, **needed, name: value}
            )
        except BaseException:
            job.close()
            raise
        try:
            job.add(process)
            process.resume()
        except BaseException:
            process.kill()
            process.code()
            process.close()
            for pipe in filter(None, process.pipes):
                pipe.close()
            job.close()
            raise
        if (stdin := process.pipes[0]) is not None:
            _feed(stdin, command.stdin)
        child = WindowsChild(self, process, job)
        with self._lock:
            self._running.add(child)
        return child

    def forget(self, child: WindowsChild) -> None:
        """Take a program that has ended off the list."""
        with self._lock:
            self._running.discard(child)

    def stop(self) -> None:
        """See `ProcessSystem.stop`."""
        self.stopping.set()

    def stopped(self, within: float = 0.0) -> bool:
        """See `ProcessSystem.stopped`."""
        return self.kernel.wait([self.stopping], max(within, 0.0))

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """See `ProcessSystem.guarded`: Ctrl-C, Ctrl-Break, and the end of the console, of the session or the system.

        Python's own handlers would wait for the main thread, which waits for a lock that nothing interrupts.
        """

        def handle(event: int) -> bool:
            again = self.stopped()
            self.stop()
            if event in _FINAL:
                self.kernel.linger(_CLOSING)  # to return is to end at once
            elif again:
                self.kernel.exit(STOPPED)
            return True

        remove = self.kernel.on_console_event(handle)
        try:
            yield
        finally:
            remove()

    @contextlib.contextmanager
    def containers(self, engine: str) -> Iterator[None]:  # noqa: ARG002
        """See `ProcessSystem.containers`. Nothing does it: a release on Windows has no images."""
        yield

    def note_orphans(self) -> None:
        """See `ProcessSystem.note_orphans`. A job has no orphans."""

    def close(self) -> None:
        """See `ProcessSystem.close`."""
        with self._lock:
            running = tuple(self._running)
        for child in running:
            child.kill()


def _feed(stream: IO[bytes], content: bytes) -> None:
    """Write to a program's standard input in a thread, since a pipe on Windows may hold less than that."""

    def run() -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            stream.write(content)

    threading.Thread(target=run, daemon=True).start()
