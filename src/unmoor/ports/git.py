"""The repository on this machine, and its remote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit of the log; ``date`` in seconds since 1970."""

    id: str
    date: int
    subject: str


class Git(Protocol):
    """A checkout, seen from the folder of the project, which is its top or below.

    Files are named from that folder; what lies beside it is ``../`` away, never outside of the repository.
    Every ref and path is checked before git sees it; git never runs the project's hooks.
    """

    @property
    def folder(self) -> Path:
        """The top folder of the checkout."""

    @property
    def path(self) -> str:
        """The folder of the project, from the top and with slashes; empty where it is the top."""

    def at(self, path: str) -> Git:
        """The same checkout, seen from another folder: a path from the top, empty for the top itself."""

    def shallow(self) -> bool:
        """Whether history is cut off."""

    def changed(self) -> tuple[str, ...]:
        """Tracked files that differ from HEAD, wherever in the repository; untracked files never count."""

    def head(self) -> str | None:
        """The commit that is checked out, ``None`` in an empty repository."""

    def commit_of(self, ref: str) -> str | None:
        """The commit behind a tag or commit id (annotated tags are peeled), ``None`` where there is none."""

    def date_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""

    def tags(self) -> Mapping[str, str]:
        """Every local tag, with the commit it peels to."""

    def remote(self) -> str | None:
        """The address of the remote that the release belongs to, without credentials; ``None`` where there is none."""

    def remote_tags(self) -> Mapping[str, str]:
        """Every tag of the remote, peeled. Raises `Unknown` where the remote cannot be read."""

    def default_head(self) -> str | None:
        """The last commit of the remote's default branch; HEAD where there is no remote, ``None`` where it is empty.

        Raises `Refused` where this checkout does not hold that commit, `Unknown`.
        """

    def on_a_branch(self, commit: str) -> bool | None:
        """Whether a branch of the remote holds a commit, as of the last fetch; ``None`` where none was fetched."""

    def signer(self, tag: str, allowed: bytes) -> str:
        """Who signed a local tag.

        Raises `Refused` where nobody did whom ``allowed`` names; see `unmoor.publish.tag_signature`.
        """

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit, ``None`` where it is not there. At most 10 MB."""

    def files(self, commit: str) -> tuple[str, ...]:
        """Every path in the folder that is tracked at a commit."""

    def deleted(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of some paths the history of a commit has deleted, at most 500. Raises `Unknown`."""

    def log(self, *, since: str | None, until: str, limit: int = 1000) -> tuple[Commit, ...]:
        """The commits in ``since..until`` that touch the folder, newest first, merges left out."""

    def clone(self, into: Path, *, commit: str, tag: str) -> Path:
        """Make a real clone that stands at ``commit``, where ``tag`` is the only tag on that commit.

        All of the repository is in it; what is returned is the project's folder there.

        Submodules are there, and large files. Other commits keep their
        tags. The clone's own copy of the tag is made where the checkout has none.
        """
