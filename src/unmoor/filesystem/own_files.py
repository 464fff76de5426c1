"""Files that this account relies on, in its own folders: nobody else may write them, and nobody else can read them."""

from __future__ import annotations

import os
from pathlib import Path

from unmoor.filesystem.protocol import EntryKind
from unmoor.filesystem.safe_folder import make_folder, open_folder
from unmoor.filesystem.system import here


def why_not_own_folder(folder: Path) -> str:
    """Say why a folder is not this user's alone; empty if it is, or does not exist yet."""
    try:
        with open_folder(folder.parent) as above:
            if above.look(folder.name).kind is not EntryKind.FOLDER:
                return f"{folder} is not a folder"
        why = here().why_not_own(folder)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror or error}"
    return f"{folder} {why}" if why else ""


def read_own(file: Path, limit: int) -> bytes:
    """Read a file of this user that only this user can write, at most ``limit`` bytes; nothing from any other."""
    try:
        with open_folder(file.parent) as folder:
            handle = folder.open_file(file.name, os.O_RDONLY)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as stream:
        if here().entry_of(handle).kind is not EntryKind.FILE or here().why_not_own(file, handle):
            return b""
        return stream.read(limit)


def append_own(file: Path, line: bytes) -> None:
    """Append a line that survives a crash. Only this user can read the file, its folder and the one above.

    Raises ``OSError``.
    """
    make_folder(file.parent.parent, mode=0o700)
    make_folder(file.parent, mode=0o700)
    with open_folder(file.parent) as folder:
        handle = folder.open_file(file.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
        here().sync(handle)
    finally:
        os.close(handle)
