"""What was downloaded: files by name, hashed on the way, or the error of each that could not be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from unmoor import advice
from unmoor.errors import Unknown, UnmoorError
from unmoor.filesystem.files import is_safe_name, read_regular
from unmoor.products import File
from unmoor.util.concurrency import run_parallel

WIDTH = 8
"""How many files are downloaded at a time."""
DOCUMENT_LIMIT = 10_000_000
"""The largest document or signature that is read, in bytes."""


@dataclass(kw_only=True)
class Downloads:
    """Files of one surface in a folder, or why they are not there. Safe to share between threads."""

    folder: Path
    files: dict[str, File] = field(default_factory=dict)
    errors: dict[str, UnmoorError] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, name: str, fetch: Callable[[Path], File]) -> None:
        """Download one file into the folder, or keep the error."""
        try:
            if not is_safe_name(name):
                raise Unknown(
                    "this is not the name of a file", next_step=advice.CHECK_WHAT_IS_SERVED(), retryable=False
                )
            file = fetch(self.folder)
        except UnmoorError as error:
            with self._lock:
                self.errors[name] = error
            return
        with self._lock:
            self.files[name] = file

    def content(self, name: str) -> bytes | None:
        """The bytes of a small file; ``None`` if it was not downloaded. Raises `Unknown` if it is too large."""
        file = self.files.get(name)
        if file is None:
            return None
        if file.size > DOCUMENT_LIMIT:
            raise Unknown(
                f"it has {file.size:,} bytes, more than such a file may have",
                next_step=advice.CHECK_WHAT_IS_SERVED(),
                retryable=False,
            )
        return read_regular(file.path, DOCUMENT_LIMIT)


def run_jobs(jobs: Iterable[Callable[[], None]]) -> None:
    """Run jobs side by side. Raises the first exception that is not kept as an error."""
    if failures := run_parallel(jobs, lambda job: job(), width=WIDTH):
        raise failures[0]
