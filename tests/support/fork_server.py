"""A process that has the modules of a command loaded, and forks itself for each command: ``fork_server.py FD``.

FD is its end of a socket. `forked` sends one message for each command: its code, arguments, folder and variables, and
the descriptors of its standard streams and of a pipe that takes how it ended. A command that ends tells which modules
it has loaded; they are loaded here, too, so that the next one finds them. The process ends with the other end of the
socket. It imports nothing of the tests, so that a command finds what it would find in a process of its own.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any

assert sys.platform == "linux"  # for mypy

STREAMS = 3
_LIMIT = 1_000_000
_LEARNED = 200_000


class ForkServer:
    """Takes commands from a socket and forks for each."""

    def __init__(self, asked: socket.socket) -> None:
        self.asked = asked
        self.heard, self.told = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LEARNED)
        self.running: dict[int, int] = {}
        self.tried: set[str] = set()

    def serve(self) -> dict[str, Any]:
        """Serve until the other end is closed, which exits. In the process of a command, return what it is to run."""
        woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking)
        sources: list[Any] = [self.asked, self.heard, woken]
        while True:
            readable, _, _ = select.select(sources, [], [])
            if woken in readable:
                os.read(woken, 4096)
                self._reap()
            if self.asked in readable:
                message, descriptors = self._receive()
                if not message:
                    raise SystemExit(0)
                if (command := self._fork(message, descriptors)) is not None:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for each in (woken, waking, *self.running.values()):
                        os.close(each)
                    return command
            elif self.heard in readable:
                self._learn()

    def _receive(self) -> tuple[bytes, list[int]]:
        found = array.array("i")
        room = socket.CMSG_SPACE((STREAMS + 1) * found.itemsize)
        message, ancillary, _, _ = self.asked.recvmsg(_LIMIT, room, socket.MSG_CMSG_CLOEXEC)
        for _, _, data in ancillary:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
        return message, list(found)

    def _fork(self, message: bytes, descriptors: list[int]) -> dict[str, Any] | None:
        *streams, ended = descriptors
        if pid := os.fork():
            self.running[pid] = ended
            os.write(ended, f"{pid}\n".encode())
            for each in streams:
                os.close(each)
            return None
        self.asked.close()
        self.heard.close()
        for number, each in enumerate(streams):
            os.dup2(each, number)
            os.close(each)
        os.close(ended)
        command: dict[str, Any] = json.loads(message)
        return command

    def _reap(self) -> None:
        """Tell how each command that has ended did so, as `os.waitpid` does."""
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with contextlib.suppress(BrokenPipeError):
                os.write(self.running[pid], f"{status}\n".encode())
            os.close(self.running.pop(pid))

    def _learn(self) -> None:
        """Load what a command has loaded, if it can be found from here."""
        for name in self.heard.recv(_LEARNED).decode().split():
            if name not in self.tried and name not in sys.modules:
                self.tried.add(name)
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        gc.collect()
        gc.freeze()


def main() -> None:
    """Serve, and run a command in each process that is forked."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    asked.set_inheritable(False)
    server = ForkServer(asked)
    command = server.serve()
    before = frozenset(sys.modules)
    try:
        _run(command)
    finally:
        learned = sorted(sys.modules.keys() - before)
        with contextlib.suppress(OSError):
            server.told.send(" ".join(each for each in learned if not each.startswith("_"))[:_LEARNED].encode())
        server.told.close()


def _run(command: dict[str, Any]) -> None:
    """Be what Python would be that has just started this command."""
    os.chdir(command["cwd"])
    os.umask(command["umask"])
    os.environ.clear()
    os.environ.update(command["env"])
    time.tzset()
    sys.argv = command["args"]
    sys.orig_argv[1:] = ["-P", *command["args"]]
    empty: Any = io.BufferedReader(io.FileIO(0, "r", closefd=False))
    streams = {"stdin": io.TextIOWrapper(empty, "utf-8")}
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw: Any = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        streams[name] = io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=name == "stderr")
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if command["apart"]:
        os.setsid()
    exec(compile(command["what"], "<command>", "exec"), {"__name__": "__main__"})  # noqa: S102 - the test's own


if __name__ == "__main__":
    main()
