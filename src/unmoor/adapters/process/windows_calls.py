"""The calls of Windows that `windows` needs: handles, suspended processes, job objects and the console.

`windows_kernel` makes them, and tests have a model of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Protocol

from unmoor.adapters.process.process_system import Command
from unmoor.ports.shell import ProcessLimits

CTRL_C, CTRL_BREAK, CLOSE, LOG_OFF, SHUT_DOWN = 0, 1, 2, 5, 6
"""What a console sends (HandlerRoutine in the documentation of Windows)."""
ENDED_BY_CONSOLE = 0xC000_013A
"""The exit code of a program that Ctrl-C ends, STATUS_CONTROL_C_EXIT: that of what is ended here, too."""


class Handle(Protocol):
    """Something that can be waited for: a process until it has ended, an event until it is set."""

    @property
    def handle(self) -> Any:
        """What the system calls it."""


class Event(Handle, Protocol):
    """A switch that stays on until it is cleared."""

    def set(self) -> None:
        """Wake whoever waits for it."""

    def clear(self) -> None:
        """Let later waits wait."""


class Process(Handle, Protocol):
    """A process that was created suspended, in its own group of the console."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def pipes(self) -> tuple[IO[bytes] | None, IO[bytes] | None, IO[bytes] | None]:
        """Its standard input, output and error; ``None`` for each that is no pipe."""

    def resume(self) -> None:
        """Let it run. Raises ``OSError``."""

    def send_break(self) -> bool:
        """Send Ctrl-Break to its group. Returns whether it was sent: not without a console that both are in."""

    def kill(self) -> None:
        """End it, whether it runs or not."""

    def code(self) -> int:
        """Wait for its end, and return its exit code."""

    def close(self) -> None:
        """Close its handle, and leave its pipes open."""


class JobObject(Protocol):
    """A job object that ends its processes when it is closed, by this process or with it."""

    def add(self, process: Process) -> None:
        """Put a process into it, with all that it will start. Raises ``OSError``."""

    def terminate(self, code: int) -> None:
        """End its processes."""

    def active(self) -> int:
        """The number of its processes that have not ended."""

    def close(self) -> None:
        """Close the only handle of it."""


class WindowsCalls(Protocol):
    """The calls of the system that this needs; see `windows_kernel.WindowsKernel`."""

    def event(self) -> Event:
        """Return a new event, off."""

    def wait(self, handles: Sequence[Handle], seconds: float) -> bool:
        """Wait for one of them, at most so long. Returns whether one is on or has ended."""

    def enter_job(self) -> None:
        """Put this process into a job that ends with it. What it creates from then on is born into that job."""

    def job(self, limits: ProcessLimits | None) -> JobObject:
        """Return a new job, whose processes have limits each. Raises ``OSError``."""

    def spawn(self, args: Sequence[str], command: Command, env: Mapping[str, str]) -> Process:
        """Create a process, suspended. Raises ``OSError``."""

    def on_console_event(self, handler: Callable[[int], bool]) -> Callable[[], None]:
        """Have Windows call a function, in a thread of its own, for each event of the console.

        It returns whether the event is dealt with. Returns a function that takes it off again.
        """

    def exit(self, code: int) -> None:
        """End this process at once."""

    def linger(self, seconds: float) -> None:
        """Wait, while the main thread ends this process."""

    def is_program(self, path: str) -> bool:
        """Whether there is a file."""
