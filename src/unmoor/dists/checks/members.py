"""The members of a ZIP archive, unpacked in pieces and checked: never more than the directory says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from unmoor.dists.checks.archives import PIECE
from unmoor.dists.checks.inflate import ERRORS, crc32, inflate


class ArchiveMember(NamedTuple):
    """One member: its name, where its packed bytes begin, and what the directory says of it; sizes in bytes."""

    name: str
    start: int
    packed: int
    size: int
    crc: int
    deflated: bool


class Damaged(Exception):
    """The bytes of a member are not what the directory says."""


def pieces(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    """Unpack a member piece by piece and check it: never more than it may hold. Raises `Damaged`."""
    if entry.size <= PIECE and entry.packed <= PIECE:
        yield _whole(stream, entry)
        return
    crc, size = 0, 0
    for piece in _inflated(stream, entry) if entry.deflated else _packed(stream, entry):
        size += len(piece)
        if size > entry.size:
            break
        crc = crc32(piece, crc)
        yield piece
    if size != entry.size:
        raise Damaged(f"{entry.name} is longer or shorter than the directory says")
    if crc != entry.crc:
        raise Damaged(f"{entry.name} is damaged: its checksum is wrong")


def _whole(stream: IO[bytes], entry: ArchiveMember) -> bytes:
    """Unpack a small member at once: nearly all of them are small."""
    stream.seek(entry.start)
    data = stream.read(entry.packed)
    if len(data) != entry.packed:
        raise Damaged(f"{entry.name} is cut off")
    if entry.deflated:
        unpacking = inflate()
        try:
            data = unpacking.decompress(data, entry.size + 1)
        except ERRORS as error:
            raise Damaged(f"{entry.name} cannot be unpacked: {error}") from error
        if not unpacking.eof or unpacking.unused_data:
            raise Damaged(f"{entry.name} does not end where the directory says")
    if len(data) != entry.size:
        raise Damaged(f"{entry.name} is longer or shorter than the directory says")
    if crc32(data) != entry.crc:
        raise Damaged(f"{entry.name} is damaged: its checksum is wrong")
    return data


def _packed(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    stream.seek(entry.start)
    left = entry.packed
    while left:
        piece = stream.read(min(left, PIECE))
        if not piece:
            raise Damaged(f"{entry.name} is cut off")
        left -= len(piece)
        yield piece


def _inflated(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    unpacking = inflate()
    try:
        for packed in _packed(stream, entry):
            yield unpacking.decompress(packed, PIECE)
            while unpacking.unconsumed_tail:
                yield unpacking.decompress(unpacking.unconsumed_tail, PIECE)
        while not unpacking.eof and (piece := unpacking.decompress(b"", PIECE)):
            yield piece
    except ERRORS as error:
        raise Damaged(f"{entry.name} cannot be unpacked: {error}") from error
    if not unpacking.eof or unpacking.unused_data:
        raise Damaged(f"{entry.name} does not end where the directory says")
