"""The writing side of a repository: what `unmoor cut` commits, tags and pushes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec


class PushState(StrEnum):
    """What a push did. Nothing of it arrived unless it is ``done``."""

    DONE = "done"
    MOVED = "moved"
    """The remote's branch has commits that are not here."""
    EXISTS = "exists"
    """The remote has a tag of that name already."""
    REFUSED = "refused"
    """The remote's rules refuse it."""
    NOT_ATOMIC = "not atomic"
    """The remote cannot take several refs together."""
    LOST = "lost"
    """There was no usable answer, and the remote does not hold the refs."""


class PushOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a push ended, the remote's words for it, and the refs that it refused."""

    state: PushState
    reason: str = ""
    refs: tuple[str, ...] = ()


class CommitChange(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: its parents, its message, and the paths in which it differs from its first parent."""

    parents: tuple[str, ...]
    message: str
    paths: tuple[str, ...]


class GitWriter(Protocol):
    """A checkout to commit, tag and push from, and its remote.

    Nothing changes the checkout, its branches and its tags but `finish`. Every method raises `Unknown` if git fails.
    """

    @property
    def remote(self) -> str:
        """The name or the address of the remote."""

    def branch(self) -> str:
        """The branch that is checked out, empty if a commit is."""

    def remote_branch(self, branch: str) -> str | None:
        """The last commit of a branch of the remote, ``None`` if it has no such branch. Asks the remote."""

    def remote_default(self) -> str:
        """The remote's default branch, empty if it names none. Asks the remote."""

    def remote_tag(self, tag: str) -> str | None:
        """The object that a tag of the remote names. Asks the remote."""

    def contains(self, commit: str, ancestor: str) -> bool | None:
        """Whether a commit has an ancestor, or is it; ``None`` if the checkout lacks one of them."""

    def merged_tags(self, commit: str) -> tuple[str, ...]:
        """The names of the tags on a commit and its ancestors."""

    def messages(self, commit: str, *, since: str | None, path: str) -> tuple[str, ...]:
        """The messages of the commits after a tag that touch a folder, without merges, at most a thousand."""

    def first_parents(self, commit: str, *, limit: int) -> tuple[str, ...]:
        """A commit, its first parent, and so on."""

    def change_of(self, commit: str) -> CommitChange:
        """What a commit that is here changes. A commit without a parent changes every path."""

    def fetch(self, branch: str) -> str:
        """Fetch a branch of the remote without changing any branch here. Return its last commit."""

    def same_files(self, remote_commit: str, commit: str) -> bool:
        """Whether a commit of the remote has the same files, and the same parent, as a commit here."""

    def tree(self, folder: Path, commit: str) -> AbstractContextManager[Path]:
        """Check a commit out in a folder beside the checkout, which is removed at the end, and at the next call."""

    def stage(self, tree: Path) -> str:
        """Add every change and new file of a tree to its index, and return the diff against its commit."""

    def commit(self, tree: Path, message: str, *, verify: bool = True) -> str:
        """Commit the index of a tree, as the user does: with hooks, and signed if git is configured so.

        Hooks that change files get a second try with what they changed. ``verify`` is git's. Raises `Refused` with the
        words of a hook that fails.
        """

    def tag(self, folder: Path, name: str, commit: str, message: str, *, sign: bool = False) -> str:
        """Make an annotated tag, signed if git is configured so or ``sign``. Return its object; no ref names it yet.

        ``folder`` is for files in between. Raises `Refused` if it cannot be signed.
        """

    def push(self, refs: Mapping[str, str], *, leases: Mapping[str, str] | None = None) -> PushOutcome:
        """Push objects to refs of the remote, all of them or none.

        Only if each ref in ``leases`` still is at that commit; an empty one must not exist. After a failure it looks
        what the remote holds.
        """

    def finish(self, branch: str, commit: str, tags: Mapping[str, str]) -> Sequence[str]:
        """Move the branch that is checked out forward to a commit, with index and files, and write tags.

        Returns what could not be moved, in words.
        """
