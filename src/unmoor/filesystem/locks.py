"""A lock on a folder: one run at a time. The system frees it however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from unmoor import advice
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import Refused
from unmoor.filesystem.safe_folder import open_in_place


@contextmanager
def exclusive_lock(
    folder: Path,
    *,
    name: str = "run.lock",
    busy: str = "another run is busy here",
    next_step: NextStep = NOTHING,
    retryable: bool = True,
) -> Iterator[Callable[[], bool]]:
    """Hold a lock in a folder, and yield a function that says whether the locked file still is in the folder.

    Raises `Refused` at once, with the given texts, if another process holds it.
    """
    handle = open_in_place(folder / name)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip()
            raise Refused(
                f"{busy}{f' (process {holder})' if holder.isdigit() else ''}",
                where=str(folder),
                next_step=next_step or advice.WAIT_FOR_OTHER_RUN(),
                retryable=retryable,
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield partial(_is_at, handle, folder / name)
    finally:
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file is at a path."""
    try:
        there = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(there, os.fstat(handle))
