"""Files on Windows, over a narrow API (`WindowsApi`) that `unmoor.filesystem.windows_api` provides.

Windows opens a file by its path, not below an open folder. So each folder on the way is opened without following
reparse points, and stays open, without the right for others to delete it, while the next one is opened: what is held
so can be neither renamed nor removed. An empty folder can still become a junction; after an entry of it is opened, the
folder is looked at again. Links are the reparse points that stand for another name (symbolic links, junctions, mount
points); files that OneDrive keeps elsewhere or that are deduplicated have reparse points too, and are files.

Not `NtCreateFile` with a root folder, which would be one step: neither Python nor pywin32 offers it.

A virus scanner or an indexer opens what was just written, for a moment. What fails because a file is in use is tried
again for about a second; `PATIENCE` are the pauses.

This module is long because it names each right and flag of Windows that it uses.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import Final, Protocol, Self, TypeVar

import msgspec

from unmoor.filesystem.protocol import EntryKind, FolderEntry

T = TypeVar("T")

PATIENCE: Final = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.3, 0.3)
"""The pauses between tries, in seconds."""
IN_USE: Final = frozenset({32, 33})
"""ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: another handle is open, which does not allow this."""
# Renaming over a file that is open, or removing one that is about to go, is ERROR_ACCESS_DENIED. A folder whose last
# file is about to go is ERROR_DIR_NOT_EMPTY.
_IN_USE_OR_DENIED: Final = IN_USE | {5, 145}

# https://learn.microsoft.com/windows/win32/fileio/file-attribute-constants
READ_ONLY: Final = 0x1
DIRECTORY: Final = 0x10
REPARSE_POINT: Final = 0x400
# https://learn.microsoft.com/windows/win32/fileio/reparse-point-tags: the bit of name surrogates
_SURROGATE: Final = 0x2000_0000

# https://learn.microsoft.com/windows/win32/fileio/file-access-rights-constants
LIST_DIRECTORY: Final = 0x1
READ_ATTRIBUTES: Final = 0x80
READ_CONTROL: Final = 0x2_0000
WRITE_DAC: Final = 0x4_0000
APPEND: Final = 0x4 | 0x10 | 0x100 | 0x2_0000 | 0x10_0000  # FILE_GENERIC_WRITE without FILE_WRITE_DATA
GENERIC_READ: Final = 0x8000_0000
GENERIC_WRITE: Final = 0x4000_0000
SHARE_READ_WRITE: Final = 0x1 | 0x2
SHARE_ALL: Final = 0x1 | 0x2 | 0x4
CREATE_NEW: Final = 1
OPEN_EXISTING: Final = 3
OPEN_ALWAYS: Final = 4
BACKUP_SEMANTICS: Final = 0x0200_0000  # which opens folders
OPEN_REPARSE_POINT: Final = 0x0020_0000

SYSTEM: Final = "S-1-5-18"
ADMINISTRATORS: Final = "S-1-5-32-544"
_OWNER_RIGHTS: Final = "S-1-3-4"
_CREATOR_OWNER: Final = "S-1-3-0"
_TRUSTED_INSTALLER: Final = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
# Rights that change a file or a folder, or its access list; GENERIC_ALL and GENERIC_WRITE.
_CHANGE: Final = 0x2 | 0x4 | 0x40 | 0x1_0000 | WRITE_DAC | 0x8_0000 | 0x1000_0000 | GENERIC_WRITE
# The same with those that read: FILE_READ_DATA, GENERIC_READ.
_READ_OR_CHANGE: Final = _CHANGE | LIST_DIRECTORY | GENERIC_READ


class Information(msgspec.Struct, frozen=True, kw_only=True):
    """What Windows says of a file or folder: its attributes, the tag of its reparse point, and the number of names.

    ``disk`` is false for a console, a pipe or another device.
    """

    attributes: int
    tag: int = 0
    links: int = 1
    disk: bool = True


class Security(msgspec.Struct, frozen=True):
    """The owner of a file (a SID), and the rights that its access list gives: SID and access mask.

    ``allowed`` is ``None`` if there is no list, as on FAT: then everybody may do everything.
    """

    owner: str
    allowed: tuple[tuple[str, int], ...] | None


class WindowsApi(Protocol):
    """The calls to Windows. Each raises ``OSError`` with ``winerror``. Paths are absolute, of any length."""

    def open(self, path: str, access: int, share: int, creation: int, flags: int, *, private: bool = False) -> int:
        """``CreateFileW``; return a handle. If ``private``, what it creates is for this user only."""

    def close(self, handle: int) -> None:
        """``CloseHandle``."""

    def information(self, handle: int) -> Information:
        """Say what an open file or folder is."""

    def look(self, path: str, *, follow: bool = False) -> Information:
        """Say what a path is, without following a link unless ``follow`` says so."""

    def descriptor(self, handle: int, flags: int) -> int:
        """Convert a handle to a descriptor of the C library, which then owns it."""

    def handle_of(self, descriptor: int) -> int:
        """Return the handle of a descriptor, which still owns it."""

    def security(self, handle: int) -> Security:
        """Return the owner and the access list of an open file."""

    def protect(self, path: str) -> None:
        """Let only this user, the system and the administrators access a path, and what is made below it."""

    def mkdir(self, path: str, *, private: bool = False) -> None:
        """Make a folder."""

    def names(self, path: str) -> list[str]:
        """Return the names in a folder."""

    def link_target(self, path: str) -> str:
        """Return what a link contains."""

    def replace(self, path: str, target: str) -> None:
        """Rename, over a file of that name."""

    def unlink(self, path: str) -> None:
        """Remove a file, or a link to a file."""

    def rmdir(self, path: str) -> None:
        """Remove an empty folder, or a link to a folder."""

    def clear_read_only(self, path: str) -> None:
        """Take the attribute read-only from a file."""

    def lock(self, handle: int) -> bool:
        """Lock an open file, without blocking reads of its first bytes; false if another process holds the lock."""

    def user(self) -> str:
        """Return the SID of this user."""

    def user_name(self, sid: str) -> str:
        """Return the name of a SID, or the SID if it has none."""


def extended(path: str) -> str:
    r"""Return an absolute path in the form that may be longer than 260 characters.

    >>> print(extended(r"C:\src\project"))
    \\?\C:\src\project
    >>> print(extended(r"\\server\share\project"))
    \\?\UNC\server\share\project

    https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
    """
    path = str(PureWindowsPath(path))
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    return f"\\\\?\\UNC\\{path[2:]}" if path.startswith("\\\\") else f"\\\\?\\{path}"


def is_link(information: Information) -> bool:
    """Whether a reparse point stands for another name, as symbolic links and junctions do."""
    return bool(information.attributes & REPARSE_POINT and information.tag & _SURROGATE)


class WindowsFolder:
    """A folder that is open, and cannot be renamed or removed until it is closed."""

    def __init__(self, files: WindowsFiles, path: str, handle: int) -> None:
        self.files, self.api, self.path, self.handle = files, files.api, path, handle

    def below(self, name: str) -> WindowsFolder:
        """Open a folder in this one, which must stay open."""
        path = self._at(name)
        handle = self.files.open_folder(path, OPEN_REPARSE_POINT)
        try:
            self._require_same()
        except BaseException:
            self.api.close(handle)
            raise
        return WindowsFolder(self.files, path, handle)

    def make(self, name: str, mode: int) -> None:
        """Make a folder."""
        self.api.mkdir(self._at(name), private=_is_private(mode))

    def look(self, name: str, *, follow: bool = False) -> FolderEntry:
        """Say what a name is. Its owner is not asked for."""
        return _entry(self.api.look(self._at(name), follow=follow), "")

    def itself(self) -> FolderEntry:
        """Say what this folder is."""
        return _entry(self.api.information(self.handle), self.api.security(self.handle).owner)

    def link_target(self, name: str) -> str:
        """Return what a link contains."""
        return self.api.link_target(self._at(name))

    def names(self) -> list[str]:
        """Return the names in the folder, sorted."""
        return sorted(self.api.names(self.path))

    def open_file(self, name: str, flags: int, mode: int = 0o600, *, follow: bool = False) -> int:
        """Open a file and return its descriptor."""
        path = self._at(name)
        access = {os.O_RDONLY: GENERIC_READ, os.O_WRONLY: GENERIC_WRITE}.get(flags & 3, GENERIC_READ | GENERIC_WRITE)
        if flags & 3 == os.O_WRONLY and flags & os.O_APPEND:
            access = APPEND  # then Windows itself writes at the end, whoever else appends
        creation = OPEN_EXISTING if not flags & os.O_CREAT else CREATE_NEW if flags & os.O_EXCL else OPEN_ALWAYS
        opening = 0 if follow else OPEN_REPARSE_POINT
        with ExitStack() as stack:
            handle = self._open(path, access, creation, opening, private=_is_private(mode))
            undo = stack.enter_context(ExitStack())
            undo.callback(self.api.close, handle)
            found = self.api.information(handle)
            if is_link(found):
                raise _error(errno.ELOOP, path)
            if found.attributes & DIRECTORY:
                raise _error(errno.EISDIR, path)
            if not found.disk:
                raise _error(errno.ENXIO, path)
            self._require_same()
            if found.attributes & REPARSE_POINT and not follow:
                # A file that is kept elsewhere: as it is held now, its name leads nowhere else.
                stack.callback(undo.pop_all().close)
                handle = self._open(path, access, OPEN_EXISTING, 0, private=False)
                undo.callback(self.api.close, handle)
            descriptor = self.api.descriptor(handle, flags)
            undo.pop_all()
            return descriptor

    def replace(self, name: str, target: Self, new: str) -> None:
        """Rename an entry to a name in another folder. A read-only file is replaced too, as it is elsewhere."""
        path, goal = self._at(name), target._at(new)
        with suppress(OSError):
            found = self.api.look(goal)
            if found.attributes & READ_ONLY and not is_link(found):
                self.api.clear_read_only(goal)
        self.files.patiently(lambda: self.api.replace(path, goal), _IN_USE_OR_DENIED)

    def unlink(self, name: str) -> None:
        """Remove a file or a link."""
        path = self._at(name)
        found = self.api.look(path)
        if found.attributes & READ_ONLY and not is_link(found):
            self.api.clear_read_only(path)
        remove = self.api.rmdir if found.attributes & DIRECTORY else self.api.unlink
        self.files.patiently(lambda: remove(path), _IN_USE_OR_DENIED)

    def remove_tree(self, name: str) -> None:
        """Remove a folder with everything below it."""
        inner = self.below(name)
        try:
            for each in inner.names():
                if inner.look(each).kind is EntryKind.FOLDER:
                    inner.remove_tree(each)
                else:
                    inner.unlink(each)
        finally:
            inner.close()
        self.files.patiently(lambda: self.api.rmdir(self._at(name)), _IN_USE_OR_DENIED)

    def keep_private(self) -> None:
        """Let only the owner, the system and the administrators enter the folder."""
        if self.itself().owner in {self.api.user(), ADMINISTRATORS}:
            self.api.protect(self.path)

    def close(self) -> None:
        """Close the folder."""
        self.api.close(self.handle)

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)  # noqa: PTH118 - the extended form is no path for pathlib

    def _open(self, path: str, access: int, creation: int, flags: int, *, private: bool) -> int:
        return self.files.patiently(
            lambda: self.api.open(path, access, SHARE_ALL, creation, flags, private=private), IN_USE
        )

    def _require_same(self) -> None:
        """Raise ``ELOOP`` if this folder has become a junction. One with an entry that is open cannot become one."""
        if is_link(self.api.information(self.handle)):
            raise _error(errno.ELOOP, self.path)


class WindowsFiles:
    """The files of Windows."""

    def __init__(self, api: WindowsApi, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.api, self._sleep = api, sleep

    def open_top(self, path: Path) -> WindowsFolder:
        """Open a folder by its path."""
        absolute = os.path.abspath(path)  # noqa: PTH100 - without resolving links
        return WindowsFolder(self, absolute, self.open_folder(absolute, 0))

    def make_top(self, path: Path, mode: int) -> None:
        """Make a folder by its path."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - without resolving links
        for each in reversed((absolute, *absolute.parents)):
            try:
                self.api.look(str(each), follow=True)
            except FileNotFoundError:
                with suppress(FileExistsError):
                    self.api.mkdir(str(each), private=each == absolute and _is_private(mode))

    def open_folder(self, path: str, flags: int) -> int:
        """Open a folder so that nobody can rename or remove it. Raises ``ELOOP`` or ``ENOTDIR``."""
        # Only a handle that may read or write counts for sharing.
        access = LIST_DIRECTORY | READ_ATTRIBUTES | READ_CONTROL
        handle = self.patiently(
            lambda: self.api.open(path, access, SHARE_READ_WRITE, OPEN_EXISTING, BACKUP_SEMANTICS | flags), IN_USE
        )
        found = self.api.information(handle)
        if is_link(found) or not found.attributes & DIRECTORY:
            self.api.close(handle)
            raise _error(errno.ELOOP if is_link(found) else errno.ENOTDIR, path)
        return handle

    def patiently(self, call: Callable[[], T], passing: frozenset[int]) -> T:
        """Call, and again after a pause while it raises one of the errors of Windows that pass."""
        for pause in PATIENCE:
            try:
                return call()
            except OSError as error:
                if getattr(error, "winerror", None) not in passing:
                    raise
            self._sleep(pause)
        return call()

    def set_mode(self, handle: int, mode: int) -> None:
        """Do nothing: a new file for its owner only is made so, and others inherit the rights of their folder."""

    def entry_of(self, handle: int) -> FolderEntry:
        """Say what an open file is."""
        opened = self.api.handle_of(handle)
        return _entry(self.api.information(opened), self.api.security(opened).owner)

    def sync(self, handle: int) -> None:
        """Return once everything that was written to an open file is on the disk."""
        os.fsync(handle)

    def read_at(self, handle: int, size: int, offset: int) -> bytes:
        """Read from an open file. There is no ``pread``: the position of the descriptor changes."""
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, size)

    def write_at(self, handle: int, data: bytes, offset: int) -> None:
        """Write to an open file. The position of the descriptor changes."""
        os.lseek(handle, offset, os.SEEK_SET)
        os.write(handle, data)

    def lock(self, handle: int) -> bool:
        """Lock an open file."""
        return self.api.lock(self.api.handle_of(handle))

    def user(self) -> str:
        """Return the SID of this user."""
        return self.api.user()

    def trusted_owners(self) -> frozenset[str]:
        """Return this user and the administrators of the machine. What an administrator makes may belong to all."""
        return frozenset({self.api.user(), SYSTEM, ADMINISTRATORS, _TRUSTED_INSTALLER})

    def user_name(self, owner: str) -> str:
        """Return the name of an owner."""
        return self.api.user_name(owner)

    def access_of_others(self, handle: int) -> str:
        """Say who else can read or change an open file."""
        return self._others(self.api.security(self.api.handle_of(handle)), _READ_OR_CHANGE)

    def why_not_own(self, path: Path, handle: int | None = None) -> str:
        """Say how others own or can change a file or folder."""
        if handle is not None:
            return self._why_not_own(self.api.security(self.api.handle_of(handle)))
        absolute = os.path.abspath(path)  # noqa: PTH100 - without resolving links
        flags = BACKUP_SEMANTICS | OPEN_REPARSE_POINT
        opened = self.api.open(absolute, READ_ATTRIBUTES | READ_CONTROL, SHARE_ALL, OPEN_EXISTING, flags)
        try:
            return self._why_not_own(self.api.security(opened))
        finally:
            self.api.close(opened)

    def why_no_environments(self, folder: Path) -> str:
        """Return nothing: virtual environments hold copies here, and no disk keeps programs from running."""
        del folder
        return ""

    def claim(self, made: Path, path: Path) -> int:
        """Rename a folder of this process, and open it: nobody can move what is open so.

        It must be renamed before. If another process swept it meanwhile, it is made again.
        """
        self.api.protect(str(made))
        self.api.replace(str(made), str(path))
        try:
            return self.open_folder(str(path), OPEN_REPARSE_POINT)
        except FileNotFoundError:
            self.api.mkdir(str(path), private=True)
            return self.open_folder(str(path), OPEN_REPARSE_POINT)

    def release(self, path: Path, handle: int) -> None:
        """Let a claimed folder go, and remove it, with long paths and read-only files that were left in it."""
        self.api.close(handle)
        with suppress(OSError):
            folder = self.open_top(path.parent)
            try:
                folder.remove_tree(path.name)
            finally:
                folder.close()

    @contextmanager
    def unclaimed(self, path: Path) -> Iterator[None]:
        """Check that no process has the folder open. One that opens it afterwards makes the move fail."""
        access, flags = LIST_DIRECTORY | READ_ATTRIBUTES | READ_CONTROL, BACKUP_SEMANTICS | OPEN_REPARSE_POINT
        handle = self.api.open(str(path), access, 0, OPEN_EXISTING, flags)
        try:
            found, owner = self.api.information(handle), self.api.security(handle).owner
        finally:
            self.api.close(handle)
        if is_link(found) or not found.attributes & DIRECTORY or owner != self.api.user():
            raise _error(errno.EPERM, str(path))
        yield

    def _why_not_own(self, security: Security) -> str:
        if security.owner not in {self.api.user(), ADMINISTRATORS}:
            return f"belongs to {self.api.user_name(security.owner)}"
        return self._others(security, _CHANGE)

    def _others(self, security: Security, rights: int) -> str:
        """Say who besides this user and the administrators has one of the rights; empty if nobody."""
        if security.allowed is None:
            return "everybody has full access to it: this disk has no access lists"
        own = self.trusted_owners() | {_CREATOR_OWNER, _OWNER_RIGHTS}
        others = [sid for sid, mask in security.allowed if sid not in own and mask & rights]
        return f"{self.api.user_name(others[0])} has access to it" if others else ""


def _is_private(mode: int) -> bool:
    return not mode & 0o077


def _entry(found: Information, owner: str) -> FolderEntry:
    if is_link(found):
        kind = EntryKind.LINK
    elif found.attributes & DIRECTORY:
        kind = EntryKind.FOLDER
    else:
        kind = EntryKind.FILE if found.disk else EntryKind.DEVICE
    return FolderEntry(kind=kind, links=found.links, owner=owner)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
