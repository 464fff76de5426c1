"""This side of the `reaper`: starts it with the first program, and tells it what there is to end."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from unmoor.adapters.process.process_system import LABEL


class ReaperLink:
    """One reaper for a run. Its methods may be called from any thread, and `close` more than once.

    ``mark`` is how it finds processes that left their group; ``close_run`` is called at exit by itself. ``path`` has
    folders in which it finds what it imports. `keep` is called with its PID: it is no program that the run may end.
    """

    def __init__(
        self, mark: str, close_run: Callable[[], None], keep: Callable[[int], None], *, path: Sequence[str] = ()
    ) -> None:
        self._mark = mark
        self._close_run = close_run
        self._keep = keep
        self._path = path
        self._lock = threading.RLock()
        self.process: subprocess.Popen[bytes] | None = None
        self._groups: Counter[int] = Counter()  # a program's group may be an orphan's, too
        self._engines: Counter[str] = Counter()

    def start(self) -> None:
        """Start the reaper if there is none, or if it was killed."""
        with self._lock:
            if self.process is not None and self.process.poll() is None:
                return
            if self.process is None:
                atexit.register(self._close_run)
            else:
                _piped(self.process.stdin).close()
            self.process = _spawn(self._mark, self._path)
            self._keep(self.process.pid)
            for group in self._groups:
                self._tell(f"+{group}")
            for engine in self._engines.elements():
                self._tell(f"@{engine}")

    def add(self, group: int) -> None:
        """Have it end a process group."""
        with self._lock:
            self._groups[group] += 1
            self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """Take a group off its list, because it has ended, once for each time that it was added."""
        with self._lock:
            self._groups[group] -= 1
            if self._groups[group] <= 0:
                del self._groups[group]
                self._tell(f"-{group}")

    @contextlib.contextmanager
    def containers(self, engine: str) -> Iterator[None]:
        """Have it remove the run's containers from an engine if unmoor dies in this context."""
        with self._lock:
            self.start()
            self._engines[engine] += 1
            self._tell(f"@{engine}")
        try:
            yield
        finally:
            with self._lock:
                self._engines[engine] -= 1
                self._tell(f"~{engine}")

    def close(self) -> bool:
        """Let it end what is left, and wait for its end. Returns whether there was one."""
        with self._lock:
            reaper, self.process = self.process, None
        if reaper is None:
            return False
        atexit.unregister(self._close_run)
        _piped(reaper.stdin).close()
        reaper.wait()
        return True

    def _tell(self, line: str) -> None:
        """Write one line. The next start replaces a killed reaper. The caller holds the lock."""
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                _piped(self.process.stdin).write(f"{line}\n".encode())


def _spawn(mark: str, path: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a reaper for processes with a mark. Its standard input takes the lines that `reaper` describes."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-E", str(Path(__file__).with_name("reaper.py")), mark, LABEL, *path],
        cwd="/",
        # Without the mark, and without the terminal or pipes of a caller that waits for them to close.
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # it is started with a pipe
    return stream
