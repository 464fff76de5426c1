"""Files on this machine: hashes, names that may become paths, and writes that are whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from unmoor.filesystem.names import windows_fault
from unmoor.filesystem.protocol import EntryKind
from unmoor.filesystem.safe_folder import changed, open_folder, open_regular, require_private, require_replaceable
from unmoor.filesystem.system import here

# A disk without links, such as vfat; EINVAL is Windows' ERROR_PRIVILEGE_NOT_HELD, for users who may not make links.
_NO_LINKS = frozenset({errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}")


def is_safe_name(name: str) -> bool:
    """Whether a name from outside may become a file name on every system: one component, plain letters, no leading dot.

    Not ``con.json``, which Windows takes for a device, nor a dot at the end.
    """
    return _SAFE.fullmatch(name) is not None and not windows_fault(name)


def sha256_of(path: Path) -> str:
    """Hash a file in pieces; lower-case hexadecimal."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_regular(path: Path, limit: int) -> bytes:
    """Read a file that may come from elsewhere: its beginning, where it has more than ``limit`` bytes.

    Raises the errors of `open_regular`.
    """
    with open_regular(path) as stream:
        return _beginning(stream, limit)


def read_plain(folder: Path, names: Iterable[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Read many files of a folder as `read_regular` does, and leave out what is no file, a link, or unreadable."""
    with open_folder(folder) as opened:
        for name in names:
            with suppress(OSError):
                if opened.look(name).kind is not EntryKind.FILE:
                    continue
                with os.fdopen(opened.open_file(name, os.O_RDONLY), "rb") as stream:
                    if here().entry_of(stream.fileno()).kind is not EntryKind.FILE:
                        continue
                    content = _beginning(stream, limit)
                yield name, content


def _beginning(stream: IO[bytes], limit: int) -> bytes:
    """Read at most a byte more than ``limit``. Memory is taken for what the file has, not for the limit."""
    size = min(os.fstat(stream.fileno()).st_size, limit)
    content = stream.read(size + 1)
    return content if len(content) <= size else content + stream.read(limit - size)


@contextmanager
def atomic_writer(path: Path, *, mode: int = 0o644, sync: bool = True) -> Iterator[IO[bytes]]:
    """Write aside, fsync, rename at the end of the block: a reader sees the old bytes or the new ones, never a part.

    Where the block raises, nothing is renamed and nothing is left. Raises `Refused` for a path that
    `unmoor.filesystem.safe_folder` refuses, and if others could read a file whose ``mode`` gives them no right.
    """
    with open_folder(path.parent, make=True) as folder:
        require_replaceable(folder, path)
        aside = f".{secrets.token_hex(8)}.part"
        try:
            handle = folder.open_file(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except OSError as error:
            raise (changed(path) if error.errno == errno.ELOOP else error) from error
        try:
            with os.fdopen(handle, "wb") as stream:
                here().set_mode(stream.fileno(), mode)
                if not mode & 0o077:
                    require_private(stream.fileno(), path)
                yield stream
                stream.flush()
                if sync:
                    here().sync(stream.fileno())
            folder.replace(aside, folder, path.name)
        except BaseException:
            with suppress(FileNotFoundError):
                folder.unlink(aside)
            raise


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Write a whole file, or nothing; see `atomic_writer`."""
    with atomic_writer(path, mode=mode, sync=sync) as stream:
        stream.write(data)


def may_write_in(folder: Path) -> bool:
    """Whether this user may make files in a folder, as far as the system says."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def keeps_executable_bits(folder: Path) -> bool:
    """Whether files in a folder are executable if chmod(2) says so. On Windows and on FAT their names decide, or none.

    Tries it with a file that is removed again.
    """
    path = folder / f".{secrets.token_hex(8)}.mode"
    path.touch()
    try:
        found = []
        for mode in (0o700, 0o600):
            with suppress(PermissionError):  # FAT on Linux
                path.chmod(mode)
            found.append(bool(path.stat().st_mode & 0o100))
    finally:
        path.unlink()
    return found == [True, False]


def link_or_copy(source: Path, target: Path) -> None:
    """Make a symbolic link to a file or folder, or a copy of it if this user or this disk can make no links."""
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)


def share_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it if this disk cannot. Only for files that nobody changes in place."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def set_plain_mode(path: Path, *, time: float | None = None) -> None:
    """Give a file or folder the mode that git records, 0755 or 0644, whatever the umask. A link has none.

    ``time`` (seconds since 1970) is what it gets as the time of its last change; ``None`` leaves that. Windows, which
    has no modes but read-only, makes it writable, and leaves the time of a link.
    """
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode):
        path.chmod(0o755 if stat.S_ISDIR(mode) or mode & 0o100 else 0o644)
        if time is not None:
            os.utime(path, (time, time))
    elif time is not None and os.utime in os.supports_follow_symlinks:
        os.utime(path, (time, time), follow_symlinks=False)
