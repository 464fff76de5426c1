"""The files of a repository as they are now: those of the work tree, or those of git's index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class RepositoryFiles(Protocol):
    """The files that are looked at before a commit. Paths are relative to the top of the repository, with slashes."""

    def names(self) -> tuple[str, ...]:
        """Every file, sorted: tracked ones, and in a work tree new ones that git does not ignore.

        Links are among them, submodules are not.
        """

    def read(self, path: str) -> bytes | None:
        """The content of a file, ``None`` if it is not there. Follows links inside the repository.

        Raises `Unknown` for a file above 10 MB.
        """

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of those of many files that are there, faster than `read` for each."""

    def changed(self, since: str | None) -> tuple[str, ...]:
        """The files that differ from a commit, sorted, removed ones among them; from nothing if it is ``None``."""

    def branch_point(self, branch: str) -> str | None:
        """The commit where what is checked out left a branch of the remote, as of the last fetch; ``None`` if unknown.

        It is the commit that is checked out if that is on the branch.
        """

    def diff(self, since: str) -> str:
        """The diff of tracked files from a commit, as ``git diff --unified=0`` prints it.

        Bytes that are not UTF-8 are surrogates. Raises `Unknown` if it is too long.
        """
