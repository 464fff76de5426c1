"""The repository on this machine, and its remote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of the log; ``date`` in seconds since 1970."""

    id: str
    date: int
    subject: str


class Git(Protocol):
    """A checkout, seen from the folder of the project: its top or a folder below.

    Paths are relative to that folder; a path may begin with ``../`` but never leaves the repository. Every
    ref and path is checked before git sees it; git never runs the project's hooks.
    """

    @property
    def folder(self) -> Path:
        """The top folder of the checkout."""

    @property
    def path(self) -> str:
        """The folder of the project, relative to the top, with slashes; empty for the top."""

    def at(self, path: str) -> Git:
        """The same checkout, seen from another folder, relative to the top; empty for the top."""

    def shallow(self) -> bool:
        """Whether the clone is shallow."""

    def changed(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD, anywhere in the repository. Untracked files never count."""

    def head(self) -> str | None:
        """The commit that is checked out, ``None`` in an empty repository."""

    def commit_of(self, ref: str) -> str | None:
        """The commit behind a tag or commit id (annotated tags are peeled), ``None`` if there is none."""

    def date_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""

    def tags(self) -> Mapping[str, str]:
        """Every local tag, with the commit it peels to."""

    def remote(self) -> str | None:
        """The URL of the release's remote, without credentials; ``None`` if there is none."""

    def remote_tags(self) -> Mapping[str, str]:
        """Every tag of the remote, peeled. Raises `Unknown` if the remote cannot be read."""

    def default_head(self) -> str | None:
        """The last commit of the remote's default branch: HEAD without a remote, ``None`` if it is empty.

        Raises `Refused` if this checkout does not hold that commit, `Unknown`.
        """

    def on_a_branch(self, commit: str) -> bool | None:
        """Whether a branch of the remote holds a commit, as of the last fetch; ``None`` if none was fetched."""

    def signer(self, tag: str, allowed: bytes) -> str:
        """Who signed a local tag. Raises `Refused` if none of the signers in ``allowed`` did.

        See `unmoor.publish.tag_signature`.
        """

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a file at a commit, ``None`` if it is not there. At most 10 MB."""

    def texts(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        """The texts of many files at a commit, by path, with a replacement character for bytes that are not UTF-8.

        Faster than `read` for each, and only for looking: an empty or binary file is left out, as is a link. Raises
        `Unknown` above 50 MB.
        """

    def files(self, commit: str) -> tuple[str, ...]:
        """Every path below the folder that is tracked at a commit."""

    def executables(self, commit: str) -> frozenset[str]:
        """Those of the paths whose files git records as executable, whether the disk here can do so or not."""

    def deleted(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of these paths, at most 500, the history of a commit deleted. Raises `Unknown`."""

    def log(self, *, since: str | None, until: str, limit: int = 1000) -> tuple[Commit, ...]:
        """The commits in ``since..until`` that touch the folder, newest first, without merges."""

    def clone(self, into: Path, *, commit: str, tag: str, whole: bool = True) -> Path:
        """Clone the repository at ``commit``, with ``tag`` as the only tag on it; return the project's folder there.

        With an empty ``tag`` there is no tag on it. If ``whole``, the clone holds submodules and the large files of the
        project's folder. Other commits keep their tags. If the checkout lacks the tag, only the clone gets it. The
        user's settings change nothing in it.
        """
