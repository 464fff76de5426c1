"""The stores of a world's servers, read as files: their own shapes, written down here a second time on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from unmoor.filesystem.files import read_regular
from unmoor.util.decode import decode_json

_LIMIT = 64 << 20

T = TypeVar("T")


class FileDigests(msgspec.Struct, frozen=True, kw_only=True):
    """What a server noted of a file when it came in."""

    sha256: str
    blake2: str
    size: int


class IndexFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file on an index."""

    name: str
    version: str
    digests: FileDigests
    yanked: str | None = None

    @property
    def path(self) -> str:
        """The path of its bytes below the index's folder."""
        blake2 = self.digests.blake2
        return f"files/{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{self.name}"


class IndexProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project on an index."""

    name: str
    files: tuple[IndexFile, ...] = ()
    deleted: tuple[str, ...] = ()


def read_index(folder: Path) -> tuple[IndexProject, ...]:
    """Read every project of an index. Raises `ValueError`, `OSError`."""
    return tuple(_read(path, IndexProject) for path in sorted((folder / "projects").glob("*.json")))


def _read(path: Path, kind: type[T]) -> T:
    return decode_json(read_regular(path, _LIMIT), kind)
