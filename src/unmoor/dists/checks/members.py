"""Unpack and verify ZIP members in chunks, never more than the directory declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from unmoor.dists.checks.archives import CHUNK
from unmoor.dists.checks.inflate import ERRORS, crc32, inflate


class ArchiveMember(NamedTuple):
    """One member as the directory describes it. ``start`` is the offset of its packed data; sizes are in bytes.

    If it is not ``readable``, it is encrypted, or packed by a method that wheels do not use.
    """

    name: str
    start: int
    packed: int
    size: int
    crc: int
    deflated: bool
    readable: bool = True


class DamagedMember(Exception):
    """The bytes of a member do not match the directory."""


def chunks(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    """Unpack a member chunk by chunk and verify it, never more than its declared size. Raises `DamagedMember`."""
    if entry.size <= CHUNK and entry.packed <= CHUNK:
        yield _read_small(stream, entry)
        return
    crc, size = 0, 0
    for piece in _inflate(stream, entry) if entry.deflated else _read_packed(stream, entry):
        size += len(piece)
        if size > entry.size:
            break
        crc = crc32(piece, crc)
        yield piece
    if size != entry.size:
        raise DamagedMember(f"{entry.name} has another size than the directory says")
    if crc != entry.crc:
        raise DamagedMember(f"{entry.name} is damaged: wrong checksum")


def _read_small(stream: IO[bytes], entry: ArchiveMember) -> bytes:
    """Unpack a small member at once, as nearly all members are small."""
    stream.seek(entry.start)
    data = stream.read(entry.packed)
    if len(data) != entry.packed:
        raise DamagedMember(f"{entry.name} is cut off")
    if entry.deflated:
        unpacking = inflate()
        try:
            data = unpacking.decompress(data, entry.size + 1)
        except ERRORS as error:
            raise DamagedMember(f"cannot unpack {entry.name}: {error}") from error
        if not unpacking.eof or unpacking.unused_data:
            raise DamagedMember(f"{entry.name} does not end where the directory says")
    if len(data) != entry.size:
        raise DamagedMember(f"{entry.name} has another size than the directory says")
    if crc32(data) != entry.crc:
        raise DamagedMember(f"{entry.name} is damaged: wrong checksum")
    return data


def _read_packed(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    stream.seek(entry.start)
    left = entry.packed
    while left:
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise DamagedMember(f"{entry.name} is cut off")
        left -= len(piece)
        yield piece


def _inflate(stream: IO[bytes], entry: ArchiveMember) -> Iterator[bytes]:
    unpacking = inflate()
    try:
        for packed in _read_packed(stream, entry):
            yield unpacking.decompress(packed, CHUNK)
            while unpacking.unconsumed_tail:
                yield unpacking.decompress(unpacking.unconsumed_tail, CHUNK)
        while not unpacking.eof and (piece := unpacking.decompress(b"", CHUNK)):
            yield piece
    except ERRORS as error:
        raise DamagedMember(f"cannot unpack {entry.name}: {error}") from error
    if not unpacking.eof or unpacking.unused_data:
        raise DamagedMember(f"{entry.name} does not end where the directory says")
