"""Files on Linux and macOS: folders are descriptors (``dir_fd``), and the system refuses links (``O_NOFOLLOW``)."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from unmoor.filesystem.protocol import EntryKind, FolderEntry

assert sys.platform != "win32"  # noqa: S101 - mypy does not check the rest for Windows

_FOLDER: Final = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LISTED: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_CLOEXEC | os.O_NONBLOCK
# On macOS, fsync only hands the bytes to the disk, which may keep them in its cache (fsync(2) there).
_WHOLE_SYNC: Final = getattr(fcntl, "F_FULLFSYNC", None)
_BUSY: Final = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP})
_OTHERS: Final = 0o077
_CHANGE: Final = 0o022
_KINDS: Final = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFLNK: EntryKind.LINK,
    stat.S_IFIFO: EntryKind.PIPE,
    stat.S_IFSOCK: EntryKind.SOCKET,
    stat.S_IFCHR: EntryKind.DEVICE,
    stat.S_IFBLK: EntryKind.DEVICE,
}


class PosixFolder:
    """A folder that is open as a descriptor. Its path is for messages only."""

    def __init__(self, handle: int, path: str) -> None:
        self.handle, self.path = handle, path

    def below(self, name: str) -> PosixFolder:
        """Open a folder in this one."""
        try:
            return PosixFolder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.handle), f"{self.path}/{name}")
        except OSError as error:
            raise self._named(error, name) from error

    def make(self, name: str, mode: int) -> None:
        """Make a folder."""
        try:
            os.mkdir(name, mode, dir_fd=self.handle)
        except OSError as error:
            raise self._named(error, name) from error

    def look(self, name: str, *, follow: bool = False) -> FolderEntry:
        """Say what a name is."""
        return _entry(os.stat(name, dir_fd=self.handle, follow_symlinks=follow))

    def itself(self) -> FolderEntry:
        """Say what this folder is."""
        return _entry(os.fstat(self.handle))

    def link_target(self, name: str) -> str:
        """Return what a link contains."""
        return os.readlink(name, dir_fd=self.handle)

    def names(self) -> list[str]:
        """Return the names in the folder, sorted. A descriptor of ``O_PATH`` cannot be listed itself."""
        readable = os.open(".", _LISTED, dir_fd=self.handle)
        try:
            return sorted(os.listdir(readable))  # noqa: PTH208 - no path: the folder is a descriptor
        finally:
            os.close(readable)

    def open_file(self, name: str, flags: int, mode: int = 0o600, *, follow: bool = False) -> int:
        """Open a file and return its descriptor."""
        try:
            return os.open(name, flags | _FILE | (0 if follow else os.O_NOFOLLOW), mode, dir_fd=self.handle)
        except OSError as error:
            raise self._named(error, name) from error

    def replace(self, name: str, target: Self, new: str) -> None:
        """Rename an entry to a name in another folder."""
        try:
            os.replace(name, new, src_dir_fd=self.handle, dst_dir_fd=target.handle)
        except OSError as error:
            raise self._named(error, name) from error

    def unlink(self, name: str) -> None:
        """Remove a file or a link."""
        try:
            os.unlink(name, dir_fd=self.handle)
        except OSError as error:
            raise self._named(error, name) from error

    def remove_tree(self, name: str) -> None:
        """Remove a folder with everything below it."""
        shutil.rmtree(name, dir_fd=self.handle)

    def keep_private(self) -> None:
        """Let only the owner enter the folder. Only the owner can; for others, nothing changes."""
        if os.fstat(self.handle).st_uid != os.geteuid():
            return
        # A descriptor of O_PATH cannot be changed itself.
        handle = os.open(".", _LISTED, dir_fd=self.handle)
        try:
            os.fchmod(handle, 0o700)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Close the folder."""
        os.close(self.handle)

    def _named(self, error: OSError, name: str) -> OSError:
        """Return an error of the system with the whole path, since a call in an open folder has no more than a name."""
        return OSError(error.errno, error.strerror, f"{self.path}/{name}")


class PosixFiles:
    """The files of Linux and macOS."""

    def open_top(self, path: Path) -> PosixFolder:
        """Open a folder by its path."""
        return PosixFolder(os.open(path, _FOLDER), str(path))

    def make_top(self, path: Path, mode: int) -> None:
        """Make a folder by its path."""
        path.mkdir(mode, parents=True, exist_ok=True)

    def set_mode(self, handle: int, mode: int) -> None:
        """Give an open file a mode, if its file system has modes: FAT and network shares may have none."""
        with suppress(PermissionError):
            os.fchmod(handle, mode)

    def entry_of(self, handle: int) -> FolderEntry:
        """Say what an open file is."""
        return _entry(os.fstat(handle))

    def sync(self, handle: int) -> None:
        """Return once everything that was written to an open file is on the disk."""
        if _WHOLE_SYNC is not None:
            with suppress(OSError):  # a file system without it, such as a network share
                fcntl.fcntl(handle, _WHOLE_SYNC)
                return
        os.fsync(handle)

    def read_at(self, handle: int, size: int, offset: int) -> bytes:
        """Read from an open file."""
        return os.pread(handle, size, offset)

    def write_at(self, handle: int, data: bytes, offset: int) -> None:
        """Write to an open file."""
        os.pwrite(handle, data, offset)

    def lock(self, handle: int) -> bool:
        """Lock an open file."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True

    def user(self) -> str:
        """Return the id of this user."""
        return str(os.geteuid())

    def trusted_owners(self) -> frozenset[str]:
        """Return this user and root."""
        return frozenset({str(os.geteuid()), "0"})

    def user_name(self, owner: str) -> str:
        """Return the name of an owner."""
        with suppress(KeyError):
            return pwd.getpwuid(int(owner)).pw_name
        return owner

    def access_of_others(self, handle: int) -> str:
        """Say how others can read or change an open file."""
        mode = os.fstat(handle).st_mode
        return f"mode {mode & 0o777:04o}" if mode & _OTHERS else ""

    def why_not_own(self, path: Path, handle: int | None = None) -> str:
        """Say how others own or can change a file or folder."""
        held = path.lstat() if handle is None else os.fstat(handle)
        if held.st_uid != os.geteuid() or held.st_mode & _CHANGE:
            return "belongs to another user, or others can write to it"
        return ""

    def why_no_environments(self, folder: Path) -> str:
        """Say why virtual environments do not work in a folder: they need links, and programs that run."""
        link = folder / f".unmoor-new-{secrets.token_hex(8)}"
        try:
            link.symlink_to("link")
            link.unlink()
        except OSError as error:
            return "links cannot be made" if error.errno in _NO_LINKS else ""
        # macOS has no such flag.
        if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
            return "programs and compiled modules cannot run (it is mounted noexec)"
        return ""

    def claim(self, made: Path, path: Path) -> int:
        """Lock a folder of this process, and only then rename it."""
        handle = os.open(made, _LISTED | os.O_NOFOLLOW)
        try:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            made.rename(path)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def release(self, path: Path, handle: int) -> None:
        """Remove a claimed folder, and let it go."""
        with suppress(OSError):
            path.rmdir()
        os.close(handle)

    @contextmanager
    def unclaimed(self, path: Path) -> Iterator[None]:
        """Hold the lock of a folder of this user."""
        handle = os.open(path, _LISTED | os.O_NOFOLLOW)
        try:
            if os.fstat(handle).st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)


def _entry(found: os.stat_result) -> FolderEntry:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), EntryKind.OTHER)
    return FolderEntry(kind=kind, links=found.st_nlink, owner=str(found.st_uid))
