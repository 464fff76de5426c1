"""The journal: an append-only record of what was made and found, one JSON line per event, fsynced.

It is evidence for people, never the truth about the world: stages ask the surfaces themselves.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from unmoor.filesystem.safe_folder import open_in_place
from unmoor.filesystem.system import here


class Journal(Protocol):
    """Takes one record at a time."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Write a record. Returns once it is on disk."""


class NoJournal(msgspec.Struct, frozen=True):
    """The journal of a run that only reads: it writes nothing."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Do nothing."""


@dataclass
class RunJournal:
    """The journal as a run writes it.

    If it cannot be written, the run stops, but not once something is out that cannot be taken back: then a stop would
    only leave the release half done, so a warning must do. Call `pass_no_return` before the first such step.
    """

    journal: Journal
    no_return: bool = False
    _warned: bool = False

    def pass_no_return(self) -> None:
        """Note that from now on nothing may stop the run but a failure of a surface."""
        self.no_return = True

    def write(self, record: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        """Write a record. Raises what the journal raises, or warns once if nothing may stop the run."""
        try:
            self.journal.write(record)
        except Exception as error:  # whatever the reason, the release matters more
            if not self.no_return:
                raise
            self._warn(error, warn)

    def write_last(self, record: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        """Write the last record of a run, which there is nothing left to stop."""
        self.no_return = True
        self.write(record, warn)

    def _warn(self, error: Exception, warn: Callable[[str], None]) -> None:
        if not self._warned:
            self._warned = True
            reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else error
            warn(f"the journal cannot be written ({reason}); the run continues without it")


@dataclass
class FileJournal:
    """A file of JSON lines. A line that a crash cut short is ended before the next one is written.

    Records are held until `start` is called, so a run that is refused before it makes anything leaves no file.
    """

    path: Path
    _waiting: list[bytes] | None = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Write the records so far. From now on each record is on disk before `write` returns."""
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
            for line in waiting:
                self._append(line)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a record with the time, and fsync."""
        import msgspec

        stamped = {"at": round(time.time(), 3), **record}
        line = msgspec.json.encode(stamped, enc_hook=str) + b"\n"
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(line)
            else:
                self._append(line)

    def _append(self, line: bytes) -> None:
        with os.fdopen(open_in_place(self.path, flags=os.O_RDWR | os.O_APPEND), "ab+") as stream:
            if _is_cut(stream.fileno()):
                line = b"\n" + line
            stream.write(line)
            stream.flush()
            here().sync(stream.fileno())


def _is_cut(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size > 0 and here().read_at(handle, 1, size - 1) != b"\n"
