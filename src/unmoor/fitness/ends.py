"""The end of a ZIP archive: where the directory lies, and what says so (APPNOTE.TXT, 4.3.14 to 4.3.16)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_LENGTH, _END64_LENGTH, _LOCATOR_LENGTH = 22, 56, 20
_COMMENT_LIMIT = 1 << 16


class Misplaced(Exception):
    """The end of the archive contradicts itself."""


@dataclass(frozen=True, kw_only=True)
class End:
    """The directory holds ``count`` members in ``size`` bytes from ``offset`` on; its end begins at ``at``.

    ``after`` is where the archive ends, with its comment.
    """

    count: int
    size: int
    offset: int
    at: int
    after: int
    comment: bytes


def end_of(stream: IO[bytes], length: int) -> End:
    """Find the end of the directory as zipfile does, from the back. Raises `Misplaced`, and ``ValueError`` for none."""
    begun = max(0, length - _END_LENGTH - _COMMENT_LIMIT)
    stream.seek(begun)
    tail = stream.read(_END_LENGTH + _COMMENT_LIMIT)
    found = tail.rfind(_END)
    plain = len(tail) - _END_LENGTH
    if plain >= 0 and tail[plain:].startswith(_END) and tail.endswith(b"\0\0"):
        found = plain
    if found < 0 or len(tail) - found < _END_LENGTH:
        raise ValueError("it has no directory")
    at = begun + found
    fields = struct.unpack("<4H2LH", tail[found + 4 : found + _END_LENGTH])
    disk, directory_disk, here, count, size, offset, comment = fields
    text = tail[found + _END_LENGTH :][:comment]
    after = at + _END_LENGTH + len(text)
    end64 = _end64(stream, at)
    if end64 is not None:
        return End(count=end64.count, size=end64.size, offset=end64.offset, at=end64.at, after=after, comment=text)
    if here != count or disk or directory_disk:
        raise Misplaced("the directory is spread over several disks")
    return End(count=count, size=size, offset=offset, at=at, after=after, comment=text)


def _end64(stream: IO[bytes], at: int) -> End | None:
    """Read the ZIP64 end that stands before the other end, ``None`` where there is none."""
    where = at - _LOCATOR_LENGTH - _END64_LENGTH
    if at < _LOCATOR_LENGTH:
        return None
    stream.seek(at - _LOCATOR_LENGTH)
    locator = stream.read(_LOCATOR_LENGTH)
    if not locator.startswith(_LOCATOR):
        return None
    stream.seek(max(where, 0))
    data = stream.read(_END64_LENGTH)
    (said,) = struct.unpack("<Q", locator[8:16])
    if where < 0 or said != where or not data.startswith(_END64):
        raise Misplaced("the ZIP64 end of the directory is not where its locator says")
    (rest,) = struct.unpack("<Q", data[4:12])
    disk, directory_disk, here, count, size, offset = struct.unpack("<2L4Q", data[16:])
    if rest != _END64_LENGTH - 12:
        raise Misplaced("the ZIP64 end of the directory holds extensible data")
    if here != count or disk or directory_disk:
        raise Misplaced("the directory is spread over several disks")
    return End(count=count, size=size, offset=offset, at=where, after=at, comment=b"")
