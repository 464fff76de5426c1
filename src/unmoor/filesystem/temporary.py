"""Temporary folders, and the removal of those that killed runs left behind.

A folder counts as used while a process holds a lock on it (``flock``), which the system frees however the process
ends. So a sweep needs no list of processes, and works across containers that share the folder for temporary files. On a
file system without locks nothing is swept.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "unmoor-tmp-"
_NAME = re.compile(_PREFIX + "[0-9a-f]{16}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder that only its owner can enter, and remove it at the end of the block."""
    locked, handle = _make_locked()
    try:
        # The standard library's folder copes with what programs leave in it, such as folders without permissions.
        with tempfile.TemporaryDirectory(prefix="", dir=locked, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        with suppress(OSError):
            locked.rmdir()
        os.close(handle)


def sweep_temporary_folders() -> None:
    """Remove this user's folders of dead runs. Never fails: what cannot be removed stays."""
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).iterdir():
            if _NAME.fullmatch(path.name):
                with suppress(OSError):
                    _sweep(path)


def _make_locked() -> tuple[Path, int]:
    """Make a folder, lock it, and only then give it the name that a sweep looks for. Return it with its descriptor."""
    made = Path(tempfile.mkdtemp(prefix=".unmoor-new-"))
    handle = -1
    try:
        handle = os.open(made, _FOLDER)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return made.rename(made.with_name(_PREFIX + secrets.token_hex(8))), handle
    except BaseException:
        made.rmdir()
        if handle >= 0:
            os.close(handle)
        raise


def _sweep(path: Path) -> None:
    """Remove a folder of this user that nobody has locked. Raises ``OSError`` for any other, and for a link."""
    handle = os.open(path, _FOLDER)
    try:
        if os.fstat(handle).st_uid != os.geteuid():
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with temporary_folder() as grave:
            path.rename(grave / "dead")
    finally:
        os.close(handle)
