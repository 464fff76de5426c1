"""The files of a Space, and the Space as it was deployed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from unmoor.products.deployment import Deployed
from unmoor.util.text import clean, count_of


class SpaceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the project that belongs into the Space: its path in both, its bytes, and where they are here.

    ``blob`` is the id of its git blob. Two are equal if they have the same bytes at the same path.
    """

    path: str
    size: int
    blob: str
    sha256: str
    source: Path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpaceFile) and (self.path, self.sha256) == (other.path, other.sha256)

    def __hash__(self) -> int:
        return hash((self.path, self.sha256))


class LeftOutFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or a pattern, that does not go into the Space, and why. ``secret``: because it has one."""

    path: str
    why: str
    secret: bool = False

    def __str__(self) -> str:
        return f"{clean(self.path)}: {self.why}"


class SpaceFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a commit that go into the Space, sorted by path, and what is left out."""

    commit: str
    files: tuple[SpaceFile, ...]
    left_out: tuple[LeftOutFile, ...] = ()

    @property
    def summary(self) -> str:
        """The number of files, and of those that are left out, in one line."""
        without = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"{count_of(len(self.files), 'file')} of {self.commit[:12]}{without}"


class DeployedSpace(Deployed, frozen=True, kw_only=True):
    """A Space that holds the files and runs them. ``title`` is that of its commit, by which `undo` finds it."""

    title: str
