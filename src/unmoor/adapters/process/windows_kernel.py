"""The calls of Windows that `windows` needs, each in a few lines: this module runs on no other system.

pywin32 has them all but one: psutil resumes a process. ctypes could do both, without their checks of types and errors.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import IO, Any

import psutil
import pywintypes
import win32api
import win32con
import win32event
import win32job

from unmoor.adapters.process.process_system import Command
from unmoor.adapters.process.windows_calls import CTRL_BREAK, Handle, Process
from unmoor.ports.shell import ProcessLimits

_SUSPENDED = 0x4  # CREATE_SUSPENDED, which subprocess does not name
_SECOND = 10_000_000  # in units of 100 ns
_AT_ONCE = 0.25  # seconds to wait without a look at signals
_RIGHTS = win32con.PROCESS_SET_QUOTA | win32con.PROCESS_TERMINATE | win32con.SYNCHRONIZE


class WindowsEvent:
    """See `windows_calls.Event`."""

    def __init__(self) -> None:
        self.handle = win32event.CreateEvent(None, True, False, None)  # noqa: FBT003 # it takes no keywords

    def set(self) -> None:
        """See `windows_calls.Event.set`."""
        win32event.SetEvent(self.handle)

    def clear(self) -> None:
        """See `windows_calls.Event.clear`."""
        win32event.ResetEvent(self.handle)


class WindowsProcess:
    """See `windows_calls.Process`."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid
        self.handle: Any = win32api.OpenProcess(_RIGHTS, False, popen.pid)  # noqa: FBT003

    @property
    def pipes(self) -> tuple[IO[bytes] | None, IO[bytes] | None, IO[bytes] | None]:
        """See `windows_calls.Process.pipes`."""
        return self._popen.stdin, self._popen.stdout, self._popen.stderr

    def resume(self) -> None:
        """See `windows_calls.Process.resume`."""
        try:
            psutil.Process(self.pid).resume()
        except psutil.Error as error:
            raise OSError(str(error)) from error

    def send_break(self) -> bool:
        """See `windows_calls.Process.send_break`."""
        try:
            win32api.GenerateConsoleCtrlEvent(CTRL_BREAK, self.pid)
        except pywintypes.error:
            return False
        return True

    def kill(self) -> None:
        """See `windows_calls.Process.kill`."""
        with contextlib.suppress(OSError):
            self._popen.kill()

    def code(self) -> int:
        """See `windows_calls.Process.code`."""
        return self._popen.wait()

    def close(self) -> None:
        """See `windows_calls.Process.close`."""
        self.handle.Close()


class WindowsJob:
    """See `windows_calls.JobObject`. Its handle is not inheritable, so no program keeps it open."""

    def __init__(self, limits: ProcessLimits | None) -> None:
        create: Any = win32job.CreateJobObject  # its stub says that it returns nothing
        self._job = create(None, "")
        info = win32job.QueryInformationJobObject(self._job, win32job.JobObjectExtendedLimitInformation)
        basic = info["BasicLimitInformation"]
        # A crash ends the process: no window asks whether to debug it.
        flags = win32job.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | win32job.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION
        if limits is not None:
            flags |= win32job.JOB_OBJECT_LIMIT_PROCESS_MEMORY | win32job.JOB_OBJECT_LIMIT_PROCESS_TIME
            info["ProcessMemoryLimit"] = limits.memory
            basic["PerProcessUserTimeLimit"] = limits.seconds * _SECOND
        basic["LimitFlags"] = flags
        win32job.SetInformationJobObject(self._job, win32job.JobObjectExtendedLimitInformation, info)

    def add(self, process: Process) -> None:
        """See `windows_calls.JobObject.add`."""
        with _as_os_error():
            win32job.AssignProcessToJobObject(self._job, process.handle)

    def add_self(self) -> None:
        """Put this process into it. Raises ``pywintypes.error``."""
        win32job.AssignProcessToJobObject(self._job, win32api.GetCurrentProcess())

    def terminate(self, code: int) -> None:
        """See `windows_calls.JobObject.terminate`."""
        with contextlib.suppress(pywintypes.error):
            # pywin32 takes a signed number of 32 bits for it.
            win32job.TerminateJobObject(self._job, code - (1 << 32) if code >= 1 << 31 else code)

    def active(self) -> int:
        """See `windows_calls.JobObject.active`."""
        info = win32job.QueryInformationJobObject(self._job, win32job.JobObjectBasicAccountingInformation)
        return int(info["ActiveProcesses"])

    def close(self) -> None:
        """See `windows_calls.JobObject.close`."""
        self._job.Close()


@cache
def _own_job() -> WindowsJob | None:
    """The job of this process, which keeps its only handle; ``None`` if another job around it allows none inside."""
    with contextlib.suppress(pywintypes.error):
        job = WindowsJob(None)
        job.add_self()
        return job
    return None


class WindowsKernel:
    """See `windows_calls.WindowsCalls`."""

    def event(self) -> WindowsEvent:
        """See `windows_calls.WindowsCalls.event`."""
        return WindowsEvent()

    def wait(self, handles: Sequence[Handle], seconds: float) -> bool:
        """See `windows_calls.WindowsCalls.wait`.

        It looks up now and then: Python runs no handler of a signal while it waits, such as that of Ctrl-C before a
        run is guarded.
        """
        deadline = time.monotonic() + seconds
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            milliseconds = int(min(left, _AT_ONCE) * 1000 + 0.999)
            found = win32event.WaitForMultipleObjects([each.handle for each in handles], False, milliseconds)  # noqa: FBT003
            if found != win32event.WAIT_TIMEOUT:
                return True
            if left <= _AT_ONCE:
                return False

    def enter_job(self) -> None:
        """See `windows_calls.WindowsCalls.enter_job`."""
        _own_job()

    def job(self, limits: ProcessLimits | None) -> WindowsJob:
        """See `windows_calls.WindowsCalls.job`."""
        with _as_os_error():
            return WindowsJob(limits)

    def spawn(self, args: Sequence[str], command: Command, env: Mapping[str, str]) -> WindowsProcess:
        """See `windows_calls.WindowsCalls.spawn`."""
        output = command.log or subprocess.PIPE
        popen = subprocess.Popen(
            list(args),
            cwd=command.cwd,
            env=dict(env),
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | _SUSPENDED,
        )
        try:
            with _as_os_error():
                return WindowsProcess(popen)
        except BaseException:
            popen.kill()
            raise

    def on_console_event(self, handler: Callable[[int], bool]) -> Callable[[], None]:
        """See `windows_calls.WindowsCalls.on_console_event`."""
        # A process in a group of its own starts with Ctrl-C ignored, as a background job of a POSIX shell does.
        switch: Any = win32api.SetConsoleCtrlHandler  # its stub does not know of no handler
        with contextlib.suppress(pywintypes.error):
            switch(None, False)  # noqa: FBT003
        switch(handler, True)  # noqa: FBT003

        def remove() -> None:
            switch(handler, False)  # noqa: FBT003

        return remove

    def exit(self, code: int) -> None:
        """See `windows_calls.WindowsCalls.exit`."""
        os._exit(code)

    def linger(self, seconds: float) -> None:
        """See `windows_calls.WindowsCalls.linger`."""
        time.sleep(seconds)

    def is_program(self, path: str) -> bool:
        """See `windows_calls.WindowsCalls.is_program`. The alias of an app is a link that only Windows follows."""
        return os.path.lexists(path) and not os.path.isdir(path)  # noqa: PTH112


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise the errors of pywin32 as those of Python."""
    try:
        yield
    except pywintypes.error as error:
        raise OSError(None, error.strerror, None, error.winerror) from error
