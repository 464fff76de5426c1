"""A model of the files of Windows, over a folder of Linux: sharing of open files, attributes, links and access lists.

It refuses what Windows refuses, with the codes of Windows; each rule names its source. Symbolic links stand for
reparse points. A handle is a descriptor.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from unmoor.filesystem import windows
from unmoor.filesystem.windows import Information, Security

USER: Final = "S-1-5-21-1-2-3-1001"
SYMLINK_TAG: Final = 0xA000_000C
CLOUD_TAG: Final = 0x9000_001A
"""IO_REPARSE_TAG_CLOUD: what OneDrive puts on files and folders, and no name surrogate."""
ERRNO: Final = {2: errno.ENOENT, 5: errno.EACCES, 32: errno.EACCES, 80: errno.EEXIST, 145: errno.ENOTEMPTY}
"""The errno that Python gives to codes of Windows (PC/errmap.h)."""
_READ, _WRITE, _DELETE = 1, 2, 4
_O_PATH, _O_NOFOLLOW = getattr(os, "O_PATH", 0), getattr(os, "O_NOFOLLOW", 0)


def failure(code: int, path: str) -> OSError:
    """An error as Python raises it on Windows."""
    error = OSError(ERRNO[code], f"code {code}", path)
    object.__setattr__(error, "winerror", code)  # for mypy, which knows it on Windows only
    return error


@dataclass(frozen=True, eq=False)
class Opened:
    """An open file or folder: what it is used for, and what others may use it for meanwhile."""

    path: str
    file: tuple[int, int]
    access: int
    share: int


@dataclass
class WindowsModel:
    """`unmoor.filesystem.windows.WindowsApi`, without Windows."""

    busy: dict[str, list[int]] = field(default_factory=dict)
    """Codes that the next calls for a name raise, as while a virus scanner holds the file."""
    cloud: set[str] = field(default_factory=set)
    """Names of files and folders that have a reparse point and are no links."""
    lists: dict[str, Security] = field(default_factory=dict)
    """Owners and access lists of paths; others belong to the user, who alone has access."""
    opening: Callable[[str], None] = lambda _: None
    """What happens just before a path is opened."""
    calls: list[str] = field(default_factory=list)
    _open: dict[int, Opened] = field(default_factory=dict)
    _locked: list[Opened] = field(default_factory=list)

    def open(self, path: str, access: int, share: int, creation: int, flags: int, *, private: bool = False) -> int:
        """``CreateFileW``."""
        self.opening(path)
        self._fail_if_busy(path)
        new = creation != windows.OPEN_EXISTING and not os.path.lexists(path)
        if creation == windows.CREATE_NEW and not new:
            raise failure(80, path)
        if new:
            self.calls.append(f"create {'private' if private else 'inherited'} {Path(path).name}")
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o644))
        follow = not flags & windows.OPEN_REPARSE_POINT
        try:
            found = Path(path).stat(follow_symlinks=follow)
        except (FileNotFoundError, NotADirectoryError):
            raise failure(2, path) from None
        is_folder = stat.S_ISDIR(found.st_mode)
        if is_folder and not flags & windows.BACKUP_SEMANTICS:
            raise failure(5, path)
        writes = bool(access & (windows.GENERIC_WRITE | 0x2 | 0x4))
        if writes and not found.st_mode & stat.S_IWUSR:
            raise failure(5, path)
        # Only reading, writing and deleting count for sharing (MS-FSA 2.1.5.1.2.2).
        used = _READ * bool(access & (windows.GENERIC_READ | windows.LIST_DIRECTORY)) | _WRITE * writes
        for other in self._handles((found.st_dev, found.st_ino)):
            if used & ~other.share or (used and other.access & ~share):
                raise failure(32, path)
        if stat.S_ISLNK(found.st_mode) or is_folder:
            how = _O_PATH
        else:
            how = os.O_RDWR if writes and access & windows.GENERIC_READ else os.O_WRONLY if writes else os.O_RDONLY
        if access == windows.APPEND:
            how |= os.O_APPEND
        handle = os.open(path, how | (0 if follow else _O_NOFOLLOW))
        self._open[handle] = Opened(path, (found.st_dev, found.st_ino), used, share)
        return handle

    def close(self, handle: int) -> None:
        """``CloseHandle``."""
        del self._open[handle]
        os.close(handle)

    def information(self, handle: int) -> Information:
        """Say what is now at the path of a handle: a folder that becomes a junction stays the same folder."""
        return self.look(self._open[handle].path)

    def look(self, path: str, *, follow: bool = False) -> Information:
        """Say what a path is."""
        found = Path(path).stat(follow_symlinks=follow)
        attributes = windows.DIRECTORY * stat.S_ISDIR(found.st_mode) | windows.READ_ONLY * (not found.st_mode & 0o200)
        tag = 0
        if stat.S_ISLNK(found.st_mode):
            attributes, tag = windows.REPARSE_POINT | windows.DIRECTORY * Path(path).is_dir(), SYMLINK_TAG
        elif Path(path).name in self.cloud:
            attributes, tag = attributes | windows.REPARSE_POINT, CLOUD_TAG
        disk = not (stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode))
        return Information(attributes=attributes, tag=tag, links=found.st_nlink, disk=disk)

    def descriptor(self, handle: int, flags: int) -> int:
        """Return the handle, which is a descriptor."""
        if flags & os.O_APPEND:
            os.lseek(handle, 0, os.SEEK_END)
        return handle

    def handle_of(self, descriptor: int) -> int:
        """Return the descriptor, which is a handle."""
        return descriptor

    def security(self, handle: int) -> Security:
        """Return the owner and the access list."""
        return self.lists.get(self._open[handle].path, Security(USER, ((USER, 0x1F01FF),)))

    def protect(self, path: str) -> None:
        """Note that a path is private."""
        self.calls.append(f"protect {Path(path).name}")
        self.lists.pop(path, None)

    def mkdir(self, path: str, *, private: bool = False) -> None:
        """Make a folder."""
        Path(path).mkdir()
        self.calls.append(f"mkdir {'private' if private else 'inherited'} {Path(path).name}")

    def names(self, path: str) -> list[str]:
        """Return the names in a folder."""
        return [each.name for each in Path(path).iterdir()]

    def link_target(self, path: str) -> str:
        """Return what a link contains."""
        return str(Path(path).readlink())

    def replace(self, path: str, target: str) -> None:
        """``MoveFileExW``: nothing may hold what is renamed, or anything below it, and nothing may have the target."""
        self._fail_if_busy(path)
        self._fail_if_busy(target)
        self._require_deletable(path)
        for other in list(self._handles()):
            if other.path.startswith(f"{path}{os.sep}"):
                raise failure(5, path)
        if os.path.lexists(target):
            found = Path(target).lstat()
            if not found.st_mode & 0o200 or list(self._handles((found.st_dev, found.st_ino))):
                raise failure(5, target)
        Path(path).replace(target)

    def unlink(self, path: str) -> None:
        """``DeleteFileW``."""
        self._fail_if_busy(path)
        found = self.look(path)
        if found.attributes & (windows.DIRECTORY | windows.READ_ONLY):
            raise failure(5, path)
        self._require_deletable(path)
        Path(path).unlink()

    def rmdir(self, path: str) -> None:
        """``RemoveDirectoryW``, which removes a link to a folder too."""
        self._fail_if_busy(path)
        self._require_deletable(path)
        if Path(path).is_symlink():
            Path(path).unlink()
            return
        if self.names(path):
            raise failure(145, path)
        Path(path).rmdir()

    def clear_read_only(self, path: str) -> None:
        """Take the attribute read-only from a file."""
        self.calls.append(f"writable {Path(path).name}")
        Path(path).chmod(0o644)

    def lock(self, handle: int) -> bool:
        """Lock an open file."""
        opened = self._open[handle]
        if any(each is not opened for each in self._handles(opened.file) if each in self._locked):
            return False
        self._locked.append(opened)
        return True

    def user(self) -> str:
        """Return the SID of this user."""
        return USER

    def user_name(self, sid: str) -> str:
        """Return the name of a SID."""
        return {"S-1-1-0": "Everyone", "S-1-5-32-545": "BUILTIN\\Users"}.get(sid, sid)

    def _handles(self, file: tuple[int, int] | None = None) -> Iterator[Opened]:
        for handle, opened in list(self._open.items()):
            try:
                found = os.fstat(handle)
            except OSError:
                found = None
            if found is None or (found.st_dev, found.st_ino) != opened.file:
                del self._open[handle]  # its descriptor was closed
            elif file in {None, opened.file}:
                yield opened

    def _require_deletable(self, path: str) -> None:
        found = Path(path).lstat()
        if any(not each.share & _DELETE for each in self._handles((found.st_dev, found.st_ino))):
            raise failure(32, path)

    def _fail_if_busy(self, path: str) -> None:
        if codes := self.busy.get(Path(path).name):
            raise failure(codes.pop(0), path)
