"""A Space on a hub: an application with a git repository, which the hub builds and runs after each commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a commit of a Space. ``blob`` is the id of its git blob, ``sha256`` is empty unless LFS holds it.

    LFS keeps the bytes elsewhere, and ``blob`` is then the id of a pointer to them.
    """

    path: str
    size: int
    blob: str
    sha256: str = ""


class SpaceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A Space: the last commit of its branch, and what the hub says of it. ``stage`` is empty if it does not say."""

    head: str
    private: bool
    stage: str


class SpaceRuntime(msgspec.Struct, frozen=True, kw_only=True):
    """What runs: the stage (``BUILDING``, ``RUNNING``, ``PAUSED`` …), its commit if the hub names it, and the error."""

    stage: str
    commit: str = ""
    error: str = ""


class HubCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of the branch."""

    id: str
    title: str


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """A file to write: its path there, and the file here that has its bytes."""

    path: str
    source: Path


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """A file to write as an earlier commit has it."""

    path: str
    commit: str


class SpaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """One commit: what it writes and what it deletes. Every path is in at most one of the three."""

    title: str
    additions: tuple[Addition, ...] = ()
    restorations: tuple[Restoration, ...] = ()
    deletions: tuple[str, ...] = ()


class SpaceHub(Protocol):
    """One Space, read and written by the owner of a token.

    Reads raise `Unknown` if there is no answer that counts, `Denied` if the hub does not accept the token or hides the
    Space. A path or text from the hub is not safe to print.
    """

    @property
    def repo(self) -> str:
        """The Space, as ``owner/name``."""

    @property
    def address(self) -> str:
        """Where users see it."""

    def user(self) -> str:
        """Who owns the token. Raises `Denied` if there is none, or if it cannot write."""

    def info(self) -> SpaceInfo:
        """The Space as it is now. Raises `Denied` if there is none."""

    def tree(self, commit: str) -> Mapping[str, HubFile]:
        """Every file of a commit, by path."""

    def read(self, commit: str, path: str, *, size: int) -> bytes:
        """The bytes of a file, at most ``size``. Raises `Unknown` if it has more or is not there."""

    def commits(self) -> tuple[HubCommit, ...]:
        """The last commits of the branch, the newest first; at most a thousand."""

    def tags(self) -> Mapping[str, str]:
        """The commit of every tag."""

    def tag(self, name: str, commit: str) -> None:
        """Make a tag. Raises `Conflict` if there is one of that name, `Unknown` if the answer is lost."""

    def commit(self, change: SpaceChange, parent: str) -> str:
        """Commit onto the branch, whose last commit must be ``parent``, and return the id.

        Sends the commit once. Raises `Conflict` if the branch has another commit by now, `Rejected` if the hub refuses
        a file, `Unknown` if the answer is lost: then the hub may have the commit.
        """

    def runtime(self) -> SpaceRuntime:
        """What runs now."""

    def log(self, kind: Literal["build", "run"]) -> Sequence[str]:
        """The last lines that the build or the application printed, as they are. Empty if there are none."""
