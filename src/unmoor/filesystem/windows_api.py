"""The calls to Windows that `unmoor.filesystem.windows` is written over, by pywin32 and the standard library.

pywin32 and not ctypes: it has every call that is needed here, with handles and security descriptors as objects, and
mypy knows its types.
"""

from __future__ import annotations

import msvcrt
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pywintypes
import win32api
import win32file
import win32security
import winerror

from unmoor.filesystem.windows import REPARSE_POINT, Information, Security, extended

assert sys.platform == "win32"  # noqa: S101 - mypy checks the rest for Windows only

_ATTRIBUTE_TAG: Final = 9  # FileAttributeTagInfo
_EXCLUSIVE_NOW: Final = 0x2 | 0x1  # LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY
# Locks are mandatory: this one is far behind the bytes of the file, which stay readable.
_LOCKED_AT: Final = 0x7FFF_FFFF
_OWNER_AND_LIST: Final = win32security.OWNER_SECURITY_INFORMATION | win32security.DACL_SECURITY_INFORMATION
_PROTECTED_LIST: Final = win32security.DACL_SECURITY_INFORMATION | win32security.PROTECTED_DACL_SECURITY_INFORMATION


class Win32:
    """Windows itself."""

    @cached_property
    def _sid(self) -> str:
        token = win32security.OpenProcessToken(win32api.GetCurrentProcess(), win32security.TOKEN_QUERY)
        return win32security.ConvertSidToStringSid(win32security.GetTokenInformation(token, win32security.TokenUser)[0])

    @cached_property
    def _private(self) -> Any:
        """Full access for this user, the system and the administrators, inherited by what is made below; no other."""
        listed = "".join(f"(A;OICI;FA;;;{sid})" for sid in (self._sid, "SY", "BA"))
        return win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(
            f"D:P{listed}", win32security.SDDL_REVISION_1
        )

    def open(self, path: str, access: int, share: int, creation: int, flags: int, *, private: bool = False) -> int:
        """``CreateFileW``."""
        attributes: Any = None
        if private:
            attributes = win32security.SECURITY_ATTRIBUTES()
            attributes.SECURITY_DESCRIPTOR = self._private
        with _os_errors(path):
            handle: Any = win32file.CreateFileW(extended(path), access, share, attributes, creation, flags)
            return int(handle.Detach())

    def close(self, handle: int) -> None:
        """``CloseHandle``."""
        with _os_errors():
            win32api.CloseHandle(handle)

    def information(self, handle: int) -> Information:
        """Say what an open file or folder is."""
        with _os_errors():
            if win32file.GetFileType(handle) != win32file.FILE_TYPE_DISK:
                return Information(attributes=0, disk=False)
            basic = win32file.GetFileInformationByHandle(handle)
            attributes, links, tag = basic[0], basic[7], 0
            if attributes & REPARSE_POINT:
                tag = win32file.GetFileInformationByHandleEx(handle, _ATTRIBUTE_TAG)["ReparseTag"]
        return Information(attributes=attributes, tag=tag & 0xFFFF_FFFF, links=links)

    def look(self, path: str, *, follow: bool = False) -> Information:
        """Say what a path is. Python itself follows the reparse points that are no links."""
        found = Path(extended(path)).stat(follow_symlinks=follow)
        return Information(
            attributes=found.st_file_attributes,
            tag=found.st_reparse_tag,
            links=found.st_nlink,
            disk=stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode),
        )

    def descriptor(self, handle: int, flags: int) -> int:
        """Convert a handle to a descriptor of the C library."""
        return msvcrt.open_osfhandle(handle, flags & (os.O_RDONLY | os.O_APPEND) | os.O_NOINHERIT)

    def handle_of(self, descriptor: int) -> int:
        """Return the handle of a descriptor."""
        return msvcrt.get_osfhandle(descriptor)

    def security(self, handle: int) -> Security:
        """Return the owner and the access list of an open file."""
        with _os_errors():
            found = win32security.GetSecurityInfo(handle, win32security.SE_FILE_OBJECT, _OWNER_AND_LIST)
            owner = win32security.ConvertSidToStringSid(found.GetSecurityDescriptorOwner())
            listed: Any = found.GetSecurityDescriptorDacl()
            if listed is None:
                return Security(owner, None)
            entries = [listed.GetAce(number) for number in range(listed.GetAceCount())]
        return Security(
            owner,
            tuple(
                (win32security.ConvertSidToStringSid(entry[-1]), entry[1] & 0xFFFF_FFFF)
                for entry in entries
                # Entries that only what is made below inherits give no access here.
                if entry[0][0] == win32security.ACCESS_ALLOWED_ACE_TYPE
                and not entry[0][1] & win32security.INHERIT_ONLY_ACE
            ),
        )

    def protect(self, path: str) -> None:
        """Let only this user, the system and the administrators access a path."""
        with _os_errors(path):
            win32security.SetNamedSecurityInfo(
                extended(path),
                win32security.SE_FILE_OBJECT,
                _PROTECTED_LIST,
                None,
                None,
                self._private.GetSecurityDescriptorDacl(),
                None,
            )

    def mkdir(self, path: str, *, private: bool = False) -> None:
        """Make a folder."""
        if not private:
            Path(extended(path)).mkdir()
            return
        attributes = win32security.SECURITY_ATTRIBUTES()
        attributes.SECURITY_DESCRIPTOR = self._private
        with _os_errors(path):
            win32file.CreateDirectoryW(extended(path), attributes)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder."""
        return [each.name for each in Path(extended(path)).iterdir()]

    def link_target(self, path: str) -> str:
        """Return what a link contains."""
        return str(Path(extended(path)).readlink()).removeprefix("\\\\?\\")

    def replace(self, path: str, target: str) -> None:
        """Rename, over a file of that name."""
        Path(extended(path)).replace(extended(target))

    def unlink(self, path: str) -> None:
        """Remove a file, or a link to a file."""
        Path(extended(path)).unlink()

    def rmdir(self, path: str) -> None:
        """Remove an empty folder, or a link to a folder."""
        Path(extended(path)).rmdir()

    def clear_read_only(self, path: str) -> None:
        """Take the attribute read-only from a file."""
        Path(extended(path)).chmod(stat.S_IWRITE)

    def lock(self, handle: int) -> bool:
        """Lock an open file."""
        at = pywintypes.OVERLAPPED()
        at.Offset = _LOCKED_AT
        try:
            win32file.LockFileEx(handle, _EXCLUSIVE_NOW, 1, 0, at)
        except pywintypes.error as error:
            if error.winerror in {winerror.ERROR_LOCK_VIOLATION, winerror.ERROR_IO_PENDING}:
                return False
            raise _os_error(error) from error
        return True

    def user(self) -> str:
        """Return the SID of this user."""
        return self._sid

    def user_name(self, sid: str) -> str:
        """Return the name of a SID."""
        with suppress(pywintypes.error):
            name, domain, _ = win32security.LookupAccountSid(None, win32security.ConvertStringSidToSid(sid))
            return f"{domain}\\{name}" if domain else name
        return sid


@contextmanager
def _os_errors(path: str = "") -> Iterator[None]:
    try:
        yield
    except pywintypes.error as error:
        raise _os_error(error, path) from error


def _os_error(error: pywintypes.error, path: str = "") -> OSError:
    """Convert an error of pywin32. Python finds the ``errno`` and the class for the code of Windows."""
    return OSError(0, error.strerror, path or None, error.winerror)
