"""A branch of pages: what a host such as GitHub Pages serves of a repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from unmoor.ports.git_writer import PushOutcome

FILE: Final = "100644"
"""The mode of a plain file in a tree."""
TREE: Final = "040000"
"""The mode of a folder in a tree."""


class BranchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or a folder at the top of the branch: its mode, such as `FILE` and `TREE`, and the id of its object."""

    mode: str
    id: str


class PagesState(msgspec.Struct, frozen=True, kw_only=True):
    """A branch as it is: its last commit, empty if there is no such branch, and what is at its top, by name."""

    commit: str = ""
    entries: Mapping[str, BranchEntry] = msgspec.field(default_factory=dict)

    def tree(self, name: str) -> str:
        """The id of a folder at the top; empty if there is none of that name."""
        entry = self.entries.get(name)
        return entry.id if entry is not None and entry.mode == TREE else ""


class PagesChange(msgspec.Struct, frozen=True, kw_only=True):
    """One commit: which folders and files at the top it replaces. All others stay.

    ``folders`` are ids of trees by name, and ``files`` the bytes of files by name; empty and ``None`` remove.
    """

    message: str
    folders: Mapping[str, str] = msgspec.field(default_factory=dict)
    files: Mapping[str, bytes | None] = msgspec.field(default_factory=dict)


class FormerPages(msgspec.Struct, frozen=True, kw_only=True):
    """The last commit that put a tree on the branch: the name of its folder, and the state of the branch before it."""

    folder: str
    before: PagesState


class PagesWork(Protocol):
    """One look at the branch, and what may follow from it. Every method raises `Unknown` if git fails."""

    @property
    def state(self) -> PagesState:
        """The branch when it was read."""

    def read(self, name: str) -> bytes | None:
        """A file at the top, ``None`` if there is none. At most 1 MB. Raises `Unknown` for a larger one."""

    def add(self, folder: Path) -> str:
        """Add the files of a folder, none of them executable, and return the id of their tree. Sends nothing."""

    def push(self, change: PagesChange, *, dry_run: bool = False) -> PushOutcome:
        """Commit a change on top of the state, and push it only if the branch has not moved since.

        With ``dry_run`` git asks the remote as for a push, and sends nothing: a login that may not write fails, but a
        rule of the branch that would refuse the push says nothing yet.

        After a failure it does not look what the branch holds.
        """

    def former(self, tree: str) -> FormerPages | None:
        """Find the last commit that put this tree on the branch; ``None`` if no commit says so."""


class PagesBranch(Protocol):
    """The branch of a repository that a host serves."""

    @property
    def branch(self) -> str:
        """The name of the branch."""

    @property
    def where(self) -> str:
        """The remote and the branch, as text without credentials."""

    def open(self, folder: Path) -> PagesWork:
        """Read the branch. ``folder`` is an empty folder for what is fetched. Raises `Unknown`, `Denied`."""

    def address(self, state: PagesState, custom: bytes | None) -> str:
        """Where users see the top of the branch, ending with a slash. ``custom`` is its file ``CNAME``, if any."""
