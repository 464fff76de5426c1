"""A model of the calls of Windows that run programs: jobs, suspended processes, handles and a console.

A program is a function that gets its process, and runs in a thread once that is resumed. What the model is told to
refuse raises ``OSError``. ``log`` has every call that changes something, in order.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from unmoor.adapters.process.process_system import Command
from unmoor.adapters.process.windows_calls import Handle
from unmoor.ports.shell import ProcessLimits

PATIENCE = 20.0


class ModelEvent:
    """A switch."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self.on = False

    @property
    def handle(self) -> Any:
        """The model knows it by itself."""
        return self

    def set(self) -> None:
        """Turn it on."""
        with self._changed:
            self.on = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Turn it off."""
        with self._changed:
            self.on = False


class ModelProcess(ModelEvent):
    """A process: its switch is on once it has ended. The ends of its pipes are real."""

    def __init__(self, kernel: ModelKernel, args: Sequence[str], env: Mapping[str, str], command: Command) -> None:
        super().__init__(kernel.changed)
        self._kernel = kernel
        self.args, self.env = tuple(args), dict(env)
        self.pid = 1000 + len(kernel.processes)
        self.told = threading.Event()
        self.killed = threading.Event()
        self._code = 0
        self._theirs: list[IO[bytes]] = []
        self.input: IO[bytes] | None = None
        self.pipes: tuple[IO[bytes] | None, IO[bytes] | None, IO[bytes] | None] = (
            self._pipe_in() if command.stdin else None,
            None if command.log else self._pipe_out(),
            None if command.log else self._pipe_out(),
        )

    def _pipe_out(self) -> IO[bytes]:
        reading, writing = os.pipe()
        self._theirs.append(os.fdopen(writing, "wb", buffering=0))
        return os.fdopen(reading, "rb")

    def _pipe_in(self) -> IO[bytes]:
        reading, writing = os.pipe()
        self.input = os.fdopen(reading, "rb")
        return os.fdopen(writing, "wb", buffering=0)

    def print(self, text: bytes, *, err: bool = False) -> None:
        """Write to its standard output, or error."""
        self._theirs[err].write(text)

    def exit(self, code: int) -> None:
        """End, unless it has ended; a background process may keep the pipes open (`ModelKernel.holds_pipes`)."""
        if not self.on:
            self._code = code
            if not self._kernel.holds_pipes:
                self.close_pipes()
            self.set()

    def close_pipes(self) -> None:
        """Close the program's ends of the pipes."""
        for stream in self._theirs:
            stream.close()
        if self.input is not None:
            self.input.close()

    def resume(self) -> None:
        """Run the program."""
        self._kernel.note("resume")
        threading.Thread(target=self._kernel.program, args=[self], daemon=True).start()

    def send_break(self) -> bool:
        """Tell it to end, if there is a console."""
        self._kernel.note("break")
        if self._kernel.console:
            self.told.set()
        return self._kernel.console

    def kill(self) -> None:
        """End it."""
        self._kernel.log.append("kill")
        self.exit(1)

    def code(self) -> int:
        """Its exit code."""
        assert self._kernel.wait([self], PATIENCE), "it does not end"
        return self._code

    def close(self) -> None:
        """Close the handle."""
        self._kernel.log.append("close process")


class ModelJob:
    """A job, with the processes in it."""

    def __init__(self, kernel: ModelKernel) -> None:
        self._kernel = kernel
        self._processes: list[ModelProcess] = []
        self.closed = False

    def add(self, process: Any) -> None:
        """Put a process into it."""
        self._kernel.note("add")
        self._processes.append(process)

    def terminate(self, code: int) -> None:
        """End its processes."""
        self._kernel.log.append("terminate")
        for process in self._processes:
            process.killed.set()
            process.exit(code)
            process.close_pipes()

    def active(self) -> int:
        """How many run: those that hold no file any more are gone after some looks."""
        assert not self.closed
        if self._kernel.slow_ends:
            self._kernel.slow_ends -= 1
            return 1
        return sum(not each.on for each in self._processes)

    def close(self) -> None:
        """Close the last handle, which ends what is in it."""
        self.closed = True
        self._kernel.log.append("close job")
        for process in self._processes:
            process.exit(1)


@dataclass
class ModelKernel:
    """See `unmoor.adapters.process.windows_calls.WindowsCalls`."""

    program: Callable[[ModelProcess], None] = lambda process: process.exit(0)
    refused: Sequence[str] = ()
    console: bool = True
    holds_pipes: bool = False
    slow_ends: int = 0
    log: list[str] = field(default_factory=list)
    processes: list[ModelProcess] = field(default_factory=list)
    handlers: list[Callable[[int], bool]] = field(default_factory=list)
    limits: ProcessLimits | None = None
    in_job: bool = False
    born_outside: list[ModelProcess] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, call: str) -> None:
        """Write a call down, and refuse it if told so."""
        self.log.append(call)
        if call in self.refused:
            raise OSError(5, "Access is denied")

    def event(self) -> ModelEvent:
        """Return a switch."""
        return ModelEvent(self.changed)

    def wait(self, handles: Sequence[Handle], seconds: float) -> bool:
        """Wait for one of the switches."""
        with self.changed:
            return self.changed.wait_for(lambda: any(each.handle.on for each in handles), min(seconds, PATIENCE))

    def enter_job(self) -> None:
        """Note that this process is in a job."""
        self.in_job = True

    def job(self, limits: ProcessLimits | None) -> ModelJob:
        """Make a job."""
        self.note("job")
        self.limits = limits
        return ModelJob(self)

    def spawn(self, args: Sequence[str], command: Command, env: Mapping[str, str]) -> ModelProcess:
        """Make a process."""
        self.note("spawn")
        process = ModelProcess(self, args, env, command)
        self.processes.append(process)
        if not self.in_job:
            self.born_outside.append(process)
        return process

    def on_console_event(self, handler: Callable[[int], bool]) -> Callable[[], None]:
        """Keep the handler."""
        self.handlers.append(handler)
        return lambda: self.handlers.remove(handler)

    def send(self, event: int) -> threading.Thread:
        """Send an event of the console, which each handler gets in a thread of its own."""

        def run() -> None:
            for handler in tuple(reversed(self.handlers)):
                if handler(event):
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def exit(self, code: int) -> None:
        """Note it."""
        self.log.append(f"exit {code}")

    def linger(self, seconds: float) -> None:
        """Wait until the test says that the process has ended."""
        assert seconds > 1
        self.over.wait(PATIENCE)

    def is_program(self, path: str) -> bool:
        """Find the programs that the model has."""
        return path.lower() in {r"c:\tools\tool.exe", r"c:\tools\npm.cmd"}

    def clean_up(self) -> None:
        """Close what a failed test left open."""
        for process in self.processes:
            with contextlib.suppress(OSError):
                process.close_pipes()
