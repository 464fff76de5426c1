"""State on disk: each file is complete or absent, and bytes are hashed while they are written.

Nothing here calls fsync: the state must survive a crash of the server, but not of the machine.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import make_folder, open_in_place, open_regular, remove, rename
from unmoor.util.decode import decode_json

PIECE = 1 << 20

T = TypeVar("T")


def now() -> str:
    """Return the current time as GitHub and the index write it: ``2026-01-31T12:00:00.123456Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def save(path: Path, state: object) -> None:
    """Write a state as JSON, to a temporary file that is then renamed."""
    write_atomic(path, msgspec.json.encode(state), sync=False)


def load(path: Path, kind: type[T]) -> T | None:
    """Read a state; ``None`` if there is none."""
    try:
        with open_regular(path) as stream:
            data = stream.read()
    except FileNotFoundError:
        return None
    return decode_json(data, kind)


def lines(path: Path) -> frozenset[str]:
    """Return the lines of a control file; none if it does not exist."""
    try:
        with open_regular(path) as stream:
            return frozenset(stream.read().decode().split())
    except FileNotFoundError:
        return frozenset()


def touched(path: Path) -> str | None:
    """Return when a control file was last touched, in the format of `now`; ``None`` if it does not exist."""
    try:
        seconds = path.stat().st_mtime
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """The digests of a file, in lower-case hexadecimal, and its ``size`` in bytes."""

    sha256: str
    blake2: str
    md5: str
    size: int


class Intake:
    """A temporary file that is hashed while it is written, never held in memory as a whole."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f".{secrets.token_hex(8)}.part"
        self._file = os.fdopen(open_in_place(self.path, flags=os.O_WRONLY | os.O_EXCL), "wb")
        self._sha256 = hashlib.sha256()
        self._blake2 = hashlib.blake2b(digest_size=32)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Write the next piece."""
        self._file.write(piece)
        self._sha256.update(piece)
        self._blake2.update(piece)
        self._md5.update(piece)
        self._size += len(piece)

    def done(self) -> Digests:
        """Close the file and return its digests."""
        self._file.close()
        return Digests(
            sha256=self._sha256.hexdigest(),
            blake2=self._blake2.hexdigest(),
            md5=self._md5.hexdigest(),
            size=self._size,
        )

    def keep(self, path: Path) -> None:
        """Rename the file to its final path."""
        make_folder(path.parent)
        rename(self.path, path)

    def drop(self) -> None:
        """Remove the file, unless it has its final path already."""
        self._file.close()
        remove(self.path)


def tidy(folder: Path) -> None:
    """Remove the temporary files of servers that crashed."""
    for left in folder.rglob(".*.part"):
        left.unlink()


def read_pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a stream in pieces."""
    while piece := stream.read(PIECE):
        yield piece


def append_line(handle: int, record: dict[str, object]) -> None:
    """Append one JSON line in one write."""
    os.write(handle, msgspec.json.encode(record) + b"\n")
