"""What each system must offer for files: open folders, and the few calls that differ between systems.

`unmoor.filesystem.system.here` chooses the part of this machine. A part raises ``OSError`` with the ``errno`` of POSIX:
``ELOOP`` for a link, ``ENOTDIR`` for what is no folder, ``ENOENT`` for what does not exist.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path
from typing import Protocol, Self

import msgspec


class EntryKind(Enum):
    """What a name in a folder is, in the words of messages."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link"
    PIPE = "a pipe"
    SOCKET = "a socket"
    DEVICE = "a device"
    OTHER = "no file"


class FolderEntry(msgspec.Struct, frozen=True):
    """A name in a folder, or an open file: what it is, how many names it has, and the id of its owner."""

    kind: EntryKind
    links: int
    owner: str


class OpenFolder(Protocol):
    """A folder that is open: what takes the place of its path afterwards changes nothing elsewhere.

    A name is one component. No method follows a link in it, unless it says so.
    """

    def below(self, name: str) -> OpenFolder:
        """Open a folder in this one, which must stay open. Raises ``ELOOP`` or ``ENOTDIR`` if it is none."""

    def make(self, name: str, mode: int) -> None:
        """Make a folder. Raises ``FileExistsError``. If ``mode`` has no rights for others, only its owner can enter."""

    def look(self, name: str, *, follow: bool = False) -> FolderEntry:
        """Say what a name is; with ``follow``, what a link leads to."""

    def itself(self) -> FolderEntry:
        """Say what this folder is."""

    def link_target(self, name: str) -> str:
        """Return what a link contains."""

    def names(self) -> list[str]:
        """Return the names in the folder, sorted."""

    def open_file(self, name: str, flags: int, mode: int = 0o600, *, follow: bool = False) -> int:
        """Open a file and return its descriptor, which no program inherits. Never waits for a pipe.

        ``flags`` are those of `os.open` that every system has. If ``mode`` has no rights for others, a new file is for
        its owner only.
        """

    def replace(self, name: str, target: Self, new: str) -> None:
        """Rename an entry to a name in another folder of the same disk, over a file of that name."""

    def unlink(self, name: str) -> None:
        """Remove a file or a link, a read-only file too."""

    def remove_tree(self, name: str) -> None:
        """Remove a folder with everything below it. Links below it are removed, not followed."""

    def keep_private(self) -> None:
        """Let only the owner enter the folder."""

    def close(self) -> None:
        """Close the folder."""


class FileSystem(Protocol):
    """The files of one system."""

    def open_top(self, path: Path) -> OpenFolder:
        """Open a folder by its path. Links in it are followed."""

    def make_top(self, path: Path, mode: int) -> None:
        """Make a folder by its path, and the missing ones above it; an existing one stays as it is."""

    def set_mode(self, handle: int, mode: int) -> None:
        """Give an open file a mode: for its owner only if it has no rights for others."""

    def entry_of(self, handle: int) -> FolderEntry:
        """Say what an open file is."""

    def sync(self, handle: int) -> None:
        """Return once everything that was written to an open file is on the disk."""

    def read_at(self, handle: int, size: int, offset: int) -> bytes:
        """Read from an open file, at most ``size`` bytes."""

    def write_at(self, handle: int, data: bytes, offset: int) -> None:
        """Write to an open file."""

    def lock(self, handle: int) -> bool:
        """Lock an open file until its descriptor is closed; false if another process holds the lock.

        The bytes of the file stay readable. Raises ``OSError`` if the file system has no locks.
        """

    def user(self) -> str:
        """Return the id of this user."""

    def trusted_owners(self) -> frozenset[str]:
        """Return the ids that may own what this user relies on: this user and the administrators of the machine."""

    def user_name(self, owner: str) -> str:
        """Return the name of an owner, or the id if it has none."""

    def access_of_others(self, handle: int) -> str:
        """Say how others can read or change an open file, such as ``mode 0644``; empty if they cannot."""

    def why_not_own(self, path: Path, handle: int | None = None) -> str:
        """Say how others own or can change a file or folder, for the end of a sentence; empty if they cannot.

        With ``handle``, of that open file. Does not follow a link.
        """

    def why_no_environments(self, folder: Path) -> str:
        """Say why virtual environments do not work in a folder, after "there"; empty if they do."""

    def claim(self, made: Path, path: Path) -> int:
        """Rename an empty folder of this process, and hold it with a handle until `release` or the process's end."""

    def release(self, path: Path, handle: int) -> None:
        """Remove a claimed folder, which should be empty, and let it go. Never fails."""

    def unclaimed(self, path: Path) -> AbstractContextManager[None]:
        """Within the block, this user's folder may be moved away. Raises ``OSError`` if a process holds it."""
