"""Read the end records of a ZIP archive, which locate its directory (APPNOTE.TXT, 4.3.14 to 4.3.16)."""

from __future__ import annotations

import struct
import zipfile
from typing import IO

import msgspec

from unmoor.dists.checks.archives import is_source
from unmoor.dists.malformed import MALFORMED
from unmoor.util.values import replace

_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_LENGTH, _END64_LENGTH, _LOCATOR_LENGTH = 22, 56, 20
_COMMENT_LIMIT = 1 << 16
_READ_LIMIT = 64 << 20


class MisplacedDirectory(Exception):
    """The end records contradict themselves or the archive, so that PyPI refuses it."""


class ContradictoryEnds(Exception):
    """The end records name other disks, or contradict each other. PyPI goes by the first one that it reads."""


class ZipEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The directory has ``count`` members in ``size`` bytes from ``offset``. Its end record starts at ``at``.

    ``after`` is where the archive ends, including its comment.
    """

    count: int
    size: int
    offset: int
    at: int
    after: int
    comment: bytes


def find_end(stream: IO[bytes], length: int) -> ZipEnd:
    """Find the end record of the directory, searching from the back as zipfile does.

    Raises `MisplacedDirectory` if the record contradicts itself, `ContradictoryEnds` if it contradicts others, and
    ``ValueError`` if there is none.
    """
    begun = max(0, length - _END_LENGTH - _COMMENT_LIMIT)
    stream.seek(begun)
    tail = stream.read(_END_LENGTH + _COMMENT_LIMIT)
    found = tail.rfind(_END)
    last = len(tail) - _END_LENGTH
    if last >= 0 and tail[last:].startswith(_END) and tail.endswith(b"\0\0"):
        found = last
    if found < 0 or len(tail) - found < _END_LENGTH:
        raise ValueError("it has no directory")
    at = begun + found
    fields = struct.unpack("<4H2LH", tail[found + 4 : found + _END_LENGTH])
    disk, directory_disk, here, count, size, offset, comment = fields
    text = tail[found + _END_LENGTH :][:comment]
    if len(text) != comment:
        raise MisplacedDirectory("the comment of the archive is shorter than declared")
    _require_one_disk(here, count, (disk, directory_disk))
    plain_end = ZipEnd(count=count, size=size, offset=offset, at=at, after=at + _END_LENGTH + comment, comment=text)
    return _find_zip64_end(stream, plain_end) or plain_end


def _find_zip64_end(stream: IO[bytes], plain: ZipEnd) -> ZipEnd | None:
    """Read the ZIP64 end record before the plain one. Returns ``None`` if there is none."""
    begins = plain.at - _LOCATOR_LENGTH
    where = begins - _END64_LENGTH
    if begins < 0:
        return None
    stream.seek(begins)
    locator = stream.read(_LOCATOR_LENGTH)
    if not locator.startswith(_LOCATOR):
        return None
    disk, offset64, disks = struct.unpack("<LQL", locator[4:])
    stream.seek(max(where, 0))
    data = stream.read(_END64_LENGTH)
    if where < 0 or (disk, offset64, disks) != (0, where, 1) or not data.startswith(_END64):
        raise ContradictoryEnds("the ZIP64 end record is not where its locator says")
    rest, _, _, own_disk, directory_disk, here, count, size, offset = struct.unpack("<Q2H2L4Q", data[4:])
    if rest != _END64_LENGTH - 12:
        raise MisplacedDirectory("the ZIP64 end record contains extensible data")
    _require_one_disk(here, count, (own_disk, directory_disk))
    pairs = ((plain.count, count, 0xFFFF), (plain.size, size, 0xFFFFFFFF), (plain.offset, offset, 0xFFFFFFFF))
    if any(short not in (long, left) for short, long, left in pairs):
        raise ContradictoryEnds("the two end records contradict each other")
    return replace(plain, count=count, size=size, offset=offset, at=where)


def _require_one_disk(here: int, count: int, disks: tuple[int, int]) -> None:
    """Check that all members are on one disk: ``here`` of ``count``, on the first of ``disks``."""
    if here != count:
        raise MisplacedDirectory(f"its end record says that it contains {here} of {count} members")
    if any(disks):
        raise ContradictoryEnds("the archive is one of several disks")


def is_refused(stream: IO[bytes]) -> bool:
    """Whether PyPI refuses an incorrect archive: zipfile cannot open it, or cannot read WHEEL or source in it.

    PyPI expects only some of zipfile's errors, and answers the others with an internal error. At most ``_READ_LIMIT``
    bytes are unpacked: an archive with more before the first damage is not said to be refused.
    """
    total = 0
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                if is_source(info.filename, info.file_size) or info.filename.endswith(".dist-info/WHEEL"):
                    total += info.file_size
                    if total > _READ_LIMIT:
                        return False
                    archive.read(info)
    except zipfile.BadZipFile:
        return True
    except MALFORMED:
        pass
    return False
