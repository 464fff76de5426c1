"""Commands of unmoor, and servers of local worlds, in processes that are forked from one with their modules loaded.

Loading takes a large part of the time of a command, and a journey runs many. What runs is the same: each process has
its own folder, variables, streams and end. Only Python's own start is left out. Where that matters, because of a
variable that Python reads, under coverage, or on a system without fork, a process is started as usual.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import pytest

from unmoor.adapters.process.parts import keep
from unmoor.adapters.process.servers import Server
from unmoor.rehearsal import local
from unmoor.util.concurrency import NoAnswer, call_within

UNMOOR = Path(sys.executable).with_name("unmoor")
_PROGRAM = Path(__file__).with_name("fork_server.py")
_OF_PYTHON = ("PYTHON", "COVERAGE", "LC_", "LANG", "LD_", "MALLOC_", "SSL_", "OPENSSL_")
"""What the names of variables begin with that Python, or a library that it loads, reads when it starts."""
_SERVE = "from unmoor.rehearsal.serve import main\n\nraise SystemExit(main())\n"
MAIN = "from unmoor.cli import main\n\nmain()\n"
"""The code of the command line."""
# What other systems than Linux do not have, or not all of them.
_KILL: Final[int] = getattr(signal, "SIGKILL", signal.SIGTERM)
_UNIX: Final[int] = getattr(socket, "AF_UNIX", 0)
_SEND: Final[Any] = getattr(socket, "send_fds", None)
_AS_USUAL: bool = sys.platform != "linux" or "COVERAGE_PROCESS_CONFIG" in os.environ


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_OF_PYTHON)}


class Forked:
    """A process that was forked. It is no child of this one, so its end is told through a pipe."""

    def __init__(self, ended: int) -> None:
        self._ended = os.fdopen(ended, "rb", buffering=0)
        self.pid = int(self._ended.readline())
        self._code: int | None = None

    def __del__(self) -> None:
        """Let one that nobody waits for be forgotten: its server reaps it."""
        self._ended.close()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Return its exit code, negative for a signal. Raises `NoAnswer` if there is none in time."""
        if self._code is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise NoAnswer
            self._code = os.waitstatus_to_exitcode(int(self._ended.readline()))
            self._ended.close()
        return self._code

    def poll(self) -> int | None:
        """Return its exit code; ``None`` while it runs."""
        if self._code is None and select.select([self._ended], [], [], 0)[0]:
            self.wait()
        return self._code

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(_KILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class _Parent:
    """This process's end of the socket to the one that forks, which is started with the first command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._start: Mapping[str, str] = {}

    def fork(
        self,
        code: str,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        streams: Sequence[int],
        apart: bool = False,
    ) -> Forked | None:
        """Fork a process, in a session of its own if ``apart``; ``None`` if it would not be as one that is started."""
        if _AS_USUAL:
            return None
        with self._lock:
            if self._socket is None:
                self._begin()
            assert self._socket is not None
            wanted = _read_at_start(env)
            if code == _SERVE:  # it is told to speak UTF-8 whatever the locale is
                wanted = {**self._start, **wanted}
            if wanted != self._start:
                return None
            ended, telling = os.pipe()
            umask = os.umask(0)
            os.umask(umask)
            command: dict[str, Any] = {"what": code, "args": list(args), "cwd": str(cwd), "env": dict(env)}
            command |= {"umask": umask, "apart": apart}
            try:
                _SEND(self._socket, [json.dumps(command).encode()], [*streams, telling])
            except OSError:  # too long for one message
                os.close(ended)
                return None
            finally:
                os.close(telling)
            return Forked(ended)

    def _begin(self) -> None:
        self._socket, its_end = socket.socketpair(_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
        self._start = _read_at_start(os.environ)
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, "-P", _PROGRAM, str(its_end.fileno())],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[its_end.fileno()],
            )
        keep(self._process.pid)

    def stop(self) -> None:
        """End the process that forks."""
        with self._lock:
            if self._socket is not None and self._process is not None:
                self._socket.close()
                self._process.wait(20)
                self._socket = self._process = None


_PARENT = _Parent()


def start(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: IO[bytes],
    err: IO[bytes],
    code: str = MAIN,
    fork: bool = True,
) -> Forked | subprocess.Popen[bytes]:
    """Start unmoor with these arguments, or ``code`` in its place, as ``python -c`` would. It has no input."""
    with open(os.devnull, "rb") as empty:  # noqa: PTH123 - no path
        streams = [each.fileno() for each in (empty, output, err)]
        if fork and (forked := _PARENT.fork(code, [str(UNMOOR), *args], cwd=cwd, env=env, streams=streams)):
            return forked
    command = [str(UNMOOR), *args] if code == MAIN else [sys.executable, "-c", code, *args]
    return subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=err)


def run(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    code: str = MAIN,
    fork: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run unmoor, or ``code`` in its place, to its end, and return what it wrote. Raises an error after a time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        running = start(args, cwd=cwd, env=env, output=out, err=err, code=code, fork=fork)
        try:
            ended = running.wait(timeout)
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8"))
    return subprocess.CompletedProcess(list(args), ended, *texts)


class ForkedServer:
    """The servers of a world, as `unmoor.adapters.process.servers.Server` has them, but forked."""

    def __init__(self, forked: Forked, stdin: int, stdout: int) -> None:
        self._forked = forked
        self._stdin = os.fdopen(stdin, "wb")
        self._stdout = os.fdopen(stdout, "rb")

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._forked.pid

    def poll(self) -> int | None:
        """Return its exit code; ``None`` while it runs."""
        return self._forked.poll()

    def tell(self, line: bytes) -> None:
        """Write a line to its stdin. Raises ``OSError`` if it has ended."""
        self._stdin.write(line + b"\n")
        self._stdin.flush()

    def answer(self, within: float) -> bytes:
        """Return the line that it prints, empty or cut if it ends. Raises `NoAnswer` after so many seconds."""
        return call_within(within, self._stdout.readline)

    def kill(self) -> None:
        """End it at once."""
        self._forked.kill()

    def stop(self, patience: float) -> None:
        """Close its stdin and wait; kill it if it does not end within so many seconds."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._forked.wait(patience)
        except NoAnswer:
            self._forked.kill()
            self._forked.wait()
        self._stdout.close()


def _start_server(args: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: IO[bytes]) -> Server | ForkedServer:
    """Fork the servers of a world, or start them as usual."""
    (reading, stdin), (stdout, writing) = os.pipe(), os.pipe()
    try:
        streams = [reading, writing, log.fileno()]
        forked = _PARENT.fork(_SERVE, [str(args[-1])], cwd=cwd, env=env, streams=streams, apart=True)
    finally:
        os.close(reading)
        os.close(writing)
    if forked is not None:
        return ForkedServer(forked, stdin, stdout)
    os.close(stdin)
    os.close(stdout)
    return Server(args, cwd=cwd, env=env, log=log)


@contextlib.contextmanager
def forked_worlds() -> Iterator[None]:
    """Let the worlds of this process be forked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "Server", _start_server)
        yield


def stop() -> None:
    """End the process that forks. The next command starts another one."""
    _PARENT.stop()
