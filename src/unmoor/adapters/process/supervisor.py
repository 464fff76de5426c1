"""Owns all child processes: none of them outlives unmoor, even if it is killed.

How a system does that is behind `process_system`. `Processes.stop` is safe in a signal handler, and wakes everything
that waits, here and in `Processes.sleep`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from unmoor import advice
from unmoor.adapters.process.parts import create_system
from unmoor.adapters.process.process_system import GRACE, Child, Command
from unmoor.errors import Interrupted, ToolMissing
from unmoor.filesystem.safe_folder import open_in_place
from unmoor.ports.shell import ProcessLimits

MARK = "UNMOOR_RUN"


class Processes:
    """All programs of one run, and a way to stop them together. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._mark = f"{MARK}={secrets.token_hex(16)}"
        self._lock = threading.Lock()
        self._started = 0
        self.system = create_system(self._mark)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def run(self) -> str:
        """The id of this run: the value of its containers' label."""
        return self._mark.partition("=")[2]

    def containers(self, engine: str) -> contextlib.AbstractContextManager[None]:
        """Have this run's containers removed from an engine if unmoor dies in this context."""
        self.check()
        return self.system.containers(engine)

    def stop(self) -> None:
        """Stop the run: every wait raises `Interrupted`, every program is ended. Safe in a signal handler."""
        self.system.stop()

    def check(self) -> None:
        """Raise `Interrupted` if the run is being stopped."""
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` if the run is being stopped."""
        if self.system.stopped(max(seconds, 0.0)):
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
        limits: ProcessLimits | None = None,
    ) -> Child:
        """Start a program apart from the terminal. ``env`` is its whole environment, except for the run's mark.

        Output goes to the file ``log``, or can be read by `Child.reading` if there is no log. ``stdin`` is what the
        program can read there, at most 64 kB.

        Raises `ToolMissing` if there is no such program, and `Interrupted`.
        """
        self.check()
        program = self.system.find(args[0], cwd=cwd, env=env)
        if program is None:
            raise ToolMissing(
                f"there is no program {args[0]!r}", next_step=advice.INSTALL_PROGRAM(program=Path(args[0]).name)
            )
        with self._lock:
            self._started += 1
            mark = f"{self._mark}.{self._started}"
        with contextlib.ExitStack() as stack:
            output = None
            if log is not None:
                output = stack.enter_context(os.fdopen(open_in_place(log, empty=True), "wb"))
            command = Command(
                program=program,
                args=tuple(args[1:]),
                cwd=cwd,
                env=env,
                mark=mark,
                umask=umask,
                log=output,
                stdin=stdin,
                limits=limits,
            )
            try:
                return self.system.start(command)
            except OSError as error:
                raise _not_started(args[0], cwd, error) from error

    def end(self, child: Child, *, grace: float = GRACE) -> int:
        """End a program, and whatever it has started, ``grace`` seconds after it is asked to. Returns its exit code."""
        return child.end(grace)

    def note_orphans(self) -> None:
        """Note what programs have left behind so far, for the case that unmoor is killed before they end."""
        self.system.note_orphans()

    def close(self) -> None:
        """End whatever still runs. Runs at exit by itself; a second call does nothing."""
        self.system.close()

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        """Stop the run once the user or the system asks unmoor to end; a second time ends it at once.

        That is INT, TERM or HUP on POSIX, and any event of the console on Windows. Only for the main thread.
        """
        return self.system.guarded()


def _not_started(program: str, cwd: Path, error: OSError) -> ToolMissing:
    """Return the error for a program that cannot start: it, its interpreter or the working folder is missing."""
    unusable = f"the folder {cwd}" if not cwd.is_dir() else repr(program)
    return ToolMissing(f"cannot use {unusable}: {error.strerror or error}", next_step=advice.CHECK_PROGRAM())
