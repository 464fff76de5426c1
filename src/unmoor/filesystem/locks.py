"""A lock on a folder: one run at a time. The system frees it however its holder ends.

Not filelock: it opens the file by its path, through links of the folders on the way. Here the file is opened by
`safe_folder`, and only the call that locks it differs between systems.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from unmoor import advice
from unmoor.advice import NOTHING, NextStep
from unmoor.errors import Refused, ToolMissing
from unmoor.filesystem.safe_folder import open_in_place
from unmoor.filesystem.system import here


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

    Raises `Refused` at once, with the given texts, if another process holds it, and `ToolMissing` if the file system
    has no locks.
    """
    handle = open_in_place(folder / name)
    try:
        try:
            ours = here().lock(handle)
        except OSError as error:
            raise ToolMissing(
                f"this file system cannot lock files: {error.strerror or error}",
                where=str(folder),
                next_step=advice.USE_LOCAL_DISK(),
            ) from error
        if not ours:
            holder = here().read_at(handle, 20, 0).decode(errors="replace").strip()
            raise Refused(
                f"{busy}{f' (process {holder})' if holder.isdigit() else ''}",
                where=str(folder),
                next_step=next_step or advice.WAIT_FOR_OTHER_RUN(),
                retryable=retryable,
            )
        os.truncate(handle, 0)
        here().write_at(handle, f"{os.getpid()}\n".encode(), 0)
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
