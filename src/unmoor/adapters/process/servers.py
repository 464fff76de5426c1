"""The processes of a local world: its servers, which end with the pipe to this process, and the programs they run.

Neither needs the supervisor: a server notices that its parent is gone, on every system and whatever ended it, and
what it runs is git, for milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from unmoor.adapters.process.parts import keep
from unmoor.util.concurrency import call_within

_NEW_GROUP: Final[int] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


def apart_from_terminal(new_group: int = _NEW_GROUP) -> dict[str, Any]:
    """Return the options of ``Popen`` for a process that Ctrl-C at the terminal does not reach.

    ``new_group`` is Windows' flag for a group whose members ignore Ctrl-C, 0 on systems that have sessions instead.
    """
    return {"creationflags": new_group} if new_group else {"start_new_session": True}


class Server:
    """A process that reads what to serve in one line, answers in one, and ends with its stdin."""

    def __init__(self, args: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: IO[bytes]) -> None:
        """Start it. ``log`` takes what it writes to stderr."""
        self._popen = subprocess.Popen(
            args,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=cwd,
            env=dict(env),
            **apart_from_terminal(),
        )
        keep(self._popen.pid)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    def poll(self) -> int | None:
        """Return its exit code; ``None`` while it runs."""
        return self._popen.poll()

    def tell(self, line: bytes) -> None:
        """Write a line to its stdin. Raises ``OSError`` if it has ended: ``EPIPE``, or ``EINVAL`` on Windows."""
        stdin = _piped(self._popen.stdin)
        stdin.write(line + b"\n")
        stdin.flush()

    def answer(self, within: float) -> bytes:
        """Return the line that it prints, empty or cut if it ends. Raises `NoAnswer` after so many seconds.

        A thread reads it, since no system but Unix can wait for a pipe with a time limit.
        """
        return call_within(within, _piped(self._popen.stdout).readline)

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def stop(self, patience: float) -> None:
        """Close its stdin and wait; kill it if it does not end within so many seconds. A second call does nothing."""
        with contextlib.suppress(OSError):  # a line that it never read cannot be written any more
            _piped(self._popen.stdin).close()
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        _piped(self._popen.stdout).close()


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # it is started with both pipes
    return stream


def wait_for_end_of_stdin() -> None:
    """Return once nobody holds the other end of this process's stdin: the process that started it is gone."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        return


class Ended(NamedTuple):
    """How a program ended, and what it wrote."""

    code: int
    out: bytes
    err: bytes


class Program:
    """A program that a server runs, with no input."""

    def __init__(self, args: Sequence[str], env: Mapping[str, str]) -> None:
        """Start it. Raises ``OSError``."""
        self._popen = subprocess.Popen(
            args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(env)
        )

    def wait(self, timeout: float) -> Ended:
        """Wait for its end. Kills it and raises ``TimeoutError`` after so many seconds."""
        try:
            out, err = self._popen.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            self._popen.kill()
            self._popen.communicate()
            raise TimeoutError(f"no end after {timeout:.0f} s") from error
        return Ended(self._popen.returncode, out, err)
