"""Temporary folders, and the removal of those that killed runs left behind.

A folder counts as used while a process holds it: with a lock (``flock``), on Windows with a handle that lets nobody
move it. The system frees both however the process ends. So a sweep needs no list of processes, and works across
containers that share the folder for temporary files. On a file system without locks nothing is swept.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from unmoor.filesystem.system import here

_VARIABLES = ("TMPDIR", "TEMP", "TMP")
_PREFIX = "unmoor-tmp-"
_NAME = re.compile(_PREFIX + "[0-9a-f]{16}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder that only its owner can enter, and remove it at the end of the block."""
    locked, handle = _make_locked()
    try:
        # The standard library's folder copes with what programs leave in it, such as folders without permissions.
        with tempfile.TemporaryDirectory(prefix="", dir=locked, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        here().release(locked, handle)


def why_elsewhere(environ: Mapping[str, str]) -> str:
    """Say that temporary files are not where the user wants them; empty if they are.

    Python replaces a folder that cannot be written by the next of a list, and does not say so.
    """
    name = next((name for name in _VARIABLES if environ.get(name)), "")
    folder = tempfile.gettempdir()
    if not name or Path(environ[name]).absolute() == Path(folder):
        return ""
    return f"{name} is {environ[name]}, where no file can be written; temporary files are in {folder}"


def why_unfit() -> str:
    """Say why virtual environments do not work where temporary files are; empty if they do."""
    folder = tempfile.gettempdir()
    why = here().why_no_environments(Path(folder))
    return f"temporary files are in {folder}, where {why}" if why else ""


def sweep_temporary_folders() -> None:
    """Remove this user's folders of dead runs. Never fails: what cannot be removed stays."""
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).iterdir():
            if _NAME.fullmatch(path.name):
                with suppress(OSError):
                    _sweep(path)


def _make_locked() -> tuple[Path, int]:
    """Make a folder and hold it, and give it the name that a sweep looks for. Return it with its handle."""
    made = Path(tempfile.mkdtemp(prefix=".unmoor-new-"))
    named = made.with_name(_PREFIX + secrets.token_hex(8))
    try:
        return named, here().claim(made, named)
    except BaseException:
        with suppress(FileNotFoundError):
            made.rmdir()
        raise


def _sweep(path: Path) -> None:
    """Remove a folder of this user that no process holds. Raises ``OSError`` for any other, and for a link."""
    with here().unclaimed(path), temporary_folder() as grave:
        path.rename(grave / "dead")
