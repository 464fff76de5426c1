"""A wheel as a ZIP archive: one reading only, whoever reads it, from the front or from the back.

Installers read the directory at the end, other programs the header before each member. PyPI refuses
what the two could read differently (docs: "Archive Formats"), and so does this. ``zipfile``
reads the directory, as installers do; what it does not look at is compared here, byte by byte. The
layout is APPNOTE.TXT's, sections 4.3 and 4.5.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from unmoor.fitness.archives import COUNT_LIMIT, MEMBERS, PIECE, fault_of
from unmoor.fitness.ends import End, Misplaced, end_of
from unmoor.fitness.extras import Sizes, extra_faults, sizes_of
from unmoor.fitness.rules import By, Problem, Rule, broken

UNREADABLE = Rule(name="zip-unreadable", refuses="a wheel that is no ZIP archive, or one that cannot be read")
TRAILING = Rule(name="zip-trailing", refuses="bytes after the end of the archive")
GAP = Rule(name="zip-gap", refuses="bytes before, between or after the members that belong to none of them")
HIDDEN = Rule(name="zip-hidden", refuses="a member that the directory does not name")
DIRECTORY = Rule(name="zip-directory", refuses="a directory that is not where, or what, its end says")
DUPLICATE = Rule(name="zip-duplicate", refuses="two members of one name")
MISMATCH = Rule(name="zip-mismatch", refuses="a member whose header says another name or size than the directory")
HEADER = Rule(
    name="zip-header",
    refuses="a member whose header says another method or checksum than the directory",
    by=By.UNMOOR,
)
DESCRIPTOR = Rule(name="zip-descriptor", refuses="sizes that follow the data (data descriptors)")
EXTRA = Rule(name="zip-extra", refuses="malformed or repeated extra fields")
COMMENT = Rule(name="zip-comment", refuses="comments on members")
ARCHIVE_COMMENT = Rule(name="zip-archive-comment", refuses="a comment on the archive", warns=True)
METHOD = Rule(name="zip-method", refuses="compression other than stored and deflated")
ENCRYPTED = Rule(name="zip-encrypted", refuses="encrypted members", by=By.INSTALLERS)
NAME = Rule(name="zip-name", refuses="names with unprintable characters, or not marked as UTF-8")
PATH = Rule(name="zip-path", refuses="names that are absolute, lead out, or hold a backslash", by=By.INSTALLERS)
LINK = Rule(name="zip-link", refuses="symbolic links", by=By.INSTALLERS)
DAMAGED = Rule(name="zip-damaged", refuses="a member whose bytes do not fit its size or checksum", by=By.INSTALLERS)
RULES = (
    UNREADABLE, TRAILING, GAP, HIDDEN, DIRECTORY, DUPLICATE, MISMATCH, HEADER, DESCRIPTOR, EXTRA, COMMENT,
    ARCHIVE_COMMENT, METHOD, ENCRYPTED, NAME, PATH, LINK, DAMAGED,
)  # fmt: skip

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_ENCRYPTION = 0x0001 | 0x0040 | 0x2000
_STREAMED, _UTF8 = 0x0008, 0x0800
# A directory of COUNT_LIMIT entries with long names; zipfile holds it in memory.
_DIRECTORY_LIMIT = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One member: its name, where its packed bytes begin, and what the directory says of it; sizes in bytes."""

    name: str
    start: int
    packed: int
    size: int
    crc: int
    deflated: bool

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith("/")


class Damaged(Exception):
    """The bytes of a member are not what the directory says."""


def entries(stream: IO[bytes], problems: list[Problem]) -> tuple[Entry, ...]:
    """Read the layout of an archive; what is wrong with it is added to ``problems``. None where it cannot be read."""
    length = stream.seek(0, os.SEEK_END)
    try:
        end = end_of(stream, length)
        if end.size > _DIRECTORY_LIMIT or end.count > COUNT_LIMIT:
            problems.append(broken(MEMBERS, f"it holds {end.count} members"))
            return ()
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
    except Misplaced as error:
        problems.append(broken(DIRECTORY, str(error)))
        return ()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        problems.append(broken(UNREADABLE, f"it is not a ZIP archive that can be read: {error}"))
        return ()
    problems.extend(_tail(end, length))
    raws = _directory(stream, end, infos, problems)
    if raws is None:
        return ()
    return _members(stream, end, list(zip(infos, raws, strict=True)), problems)


def _tail(end: End, length: int) -> Iterator[Problem]:
    """Judge what stands after the directory."""
    if end.after != length:
        yield broken(TRAILING, f"{length - end.after} bytes follow the end of the archive")
    if end.comment:
        yield broken(ARCHIVE_COMMENT, f"the archive has a comment of {len(end.comment)} bytes")
    if b"PK\x05\x06" in end.comment:
        yield broken(DIRECTORY, "the comment of the archive holds another end of a directory")


def _directory(
    stream: IO[bytes], end: End, infos: Sequence[zipfile.ZipInfo], problems: list[Problem]
) -> list[bytes] | None:
    """Read the directory once more, and return the names as they are written; ``None`` where it is another one."""
    names = []
    stream.seek(end.offset)
    for _ in range(end.count):
        fixed = stream.read(46)
        if len(fixed) != 46 or fixed[:4] != _CENTRAL:  # noqa: PLR2004 - the length of an entry
            problems.append(
                broken(DIRECTORY, "the directory does not begin where its end says, or holds fewer members")
            )
            return None
        flags, lengths = struct.unpack("<H", fixed[8:10])[0], struct.unpack("<HHH", fixed[28:34])
        raw, _extra, comment = (stream.read(each) for each in lengths)
        names.append(raw)
        if comment:
            problems.append(broken(COMMENT, f"{_shown(raw)} has a comment"))
        if not raw.isascii() and not flags & _UTF8:
            problems.append(broken(NAME, f"the name {_shown(raw)} is not marked as UTF-8"))
    if len(infos) != end.count or stream.tell() != end.offset + end.size or stream.tell() != end.at:
        problems.append(broken(DIRECTORY, f"the directory does not hold the {end.count} members that its end says"))
        return None
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    problems += [broken(DUPLICATE, f"{_shown(name)} is there more than once") for name in twice]
    return names


def _members(
    stream: IO[bytes], end: End, pairs: Sequence[tuple[zipfile.ZipInfo, bytes]], problems: list[Problem]
) -> tuple[Entry, ...]:
    """Walk over every header, in the order of the file: they must lie end to end, from the first byte on."""
    found = []
    at = 0
    for info, raw in sorted(pairs, key=lambda pair: pair[0].header_offset):
        problems.extend(_gap(stream, at, info.header_offset, raw))
        problems.extend(_info(info, raw))
        start = _header(stream, info, raw, problems)
        if start is None:
            return ()
        at = start + info.compress_size
        found.append(
            Entry(
                name=info.orig_filename,
                start=start,
                packed=info.compress_size,
                size=info.file_size,
                crc=info.CRC,
                deflated=info.compress_type == zipfile.ZIP_DEFLATED,
            )
        )
    problems.extend(_gap(stream, at, end.offset, b"the directory"))
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    readable = {
        info.orig_filename for info, _ in pairs if info.compress_type in known and not info.flag_bits & _ENCRYPTION
    }
    return tuple(entry for entry in found if entry.name in readable)


def _gap(stream: IO[bytes], at: int, expected: int, raw: bytes) -> Iterator[Problem]:
    """Judge the bytes between the end of one member and the header of the next, or the directory."""
    if at == expected:
        return
    stream.seek(min(at, expected))
    if at < expected and stream.read(4) == _LOCAL:
        yield broken(HIDDEN, f"before {_shown(raw)} lies a member that the directory does not name")
    else:
        yield broken(GAP, f"{_shown(raw)} begins at byte {expected}, and what is before it ends at byte {at}")


def _info(info: zipfile.ZipInfo, raw: bytes) -> Iterator[Problem]:
    """Judge what the directory says of a member."""
    name = _shown(raw)
    fault = fault_of(info.orig_filename)
    if fault:
        yield broken(NAME if "unprintable" in fault else PATH, f"the name {name} {fault}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield broken(METHOD, f"{name} is compressed by method {info.compress_type}")
    if info.flag_bits & _ENCRYPTION:
        yield broken(ENCRYPTED, f"{name} is encrypted")
    if stat.S_ISLNK(info.external_attr >> 16):
        yield broken(LINK, f"{name} is a symbolic link")
    if info.orig_filename.endswith("/") and info.file_size:
        yield broken(DAMAGED, f"the folder {name} holds bytes")


def _header(stream: IO[bytes], info: zipfile.ZipInfo, raw: bytes, problems: list[Problem]) -> int | None:
    """Compare the header of a member with the directory, and return where its bytes begin."""
    stream.seek(info.header_offset)
    fixed = stream.read(30)
    if len(fixed) != 30 or fixed[:4] != _LOCAL:  # noqa: PLR2004 - the length of a header
        problems.append(broken(HIDDEN, f"{_shown(raw)} has no header where the directory says"))
        return None
    flags, method = struct.unpack("<HH", fixed[6:10])
    crc, packed, size, name_length, extra_length = struct.unpack("<LLLHH", fixed[14:30])
    name, extra = stream.read(name_length), stream.read(extra_length)
    problems.extend(_compare(info, raw, name, flags, (method, crc)))
    faults = list(extra_faults(extra))
    problems += [broken(EXTRA, f"{_shown(raw)} has {fault}") for fault in faults]
    said = None if faults else sizes_of(Sizes(packed=packed, size=size), extra, stored=method == zipfile.ZIP_STORED)
    if not faults and said is None:
        problems.append(broken(EXTRA, f"{_shown(raw)} has a ZIP64 field that does not give its sizes"))
    elif said and said != Sizes(packed=info.compress_size, size=info.file_size) and not flags & _STREAMED:
        problems.append(broken(MISMATCH, f"{_shown(raw)} has other sizes in its header than in the directory"))
    return info.header_offset + len(fixed + name + extra)


def _compare(info: zipfile.ZipInfo, raw: bytes, name: bytes, flags: int, header: tuple[int, int]) -> Iterator[Problem]:
    """Judge what the header of a member says apart from its sizes."""
    if name != raw:
        yield broken(MISMATCH, f"{_shown(raw)} is called {_shown(name)} in its header")
    elif not name.isascii() and name.decode("utf-8", "replace") != info.orig_filename:
        yield broken(NAME, f"the name {_shown(raw)} is not UTF-8")
    if flags & _STREAMED:
        yield broken(DESCRIPTOR, f"{_shown(raw)} has its sizes after its data")
    elif header != (info.compress_type, info.CRC) or (flags ^ info.flag_bits) & _ENCRYPTION:
        yield broken(HEADER, f"{_shown(raw)} has another method or checksum in its header than in the directory")


def _shown(raw: bytes) -> str:
    return raw[:200].decode("utf-8", "replace")


def pieces(stream: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """Unpack a member piece by piece and check it: never more than it may hold. Raises `Damaged`."""
    crc, size = 0, 0
    for piece in _inflated(stream, entry) if entry.deflated else _packed(stream, entry):
        size += len(piece)
        if size > entry.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != entry.size:
        raise Damaged(f"{entry.name} is longer or shorter than the directory says")
    if crc != entry.crc:
        raise Damaged(f"{entry.name} is damaged: its checksum is wrong")


def _packed(stream: IO[bytes], entry: Entry) -> Iterator[bytes]:
    stream.seek(entry.start)
    left = entry.packed
    while left:
        piece = stream.read(min(left, PIECE))
        if not piece:
            raise Damaged(f"{entry.name} is cut off")
        left -= len(piece)
        yield piece


def _inflated(stream: IO[bytes], entry: Entry) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _packed(stream, entry):
            yield inflate.decompress(packed, PIECE)
            while inflate.unconsumed_tail:
                yield inflate.decompress(inflate.unconsumed_tail, PIECE)
        while not inflate.eof and (piece := inflate.decompress(b"", PIECE)):
            yield piece
    except zlib.error as error:
        raise Damaged(f"{entry.name} cannot be unpacked: {error}") from error
    if not inflate.eof or inflate.unused_data:
        raise Damaged(f"{entry.name} does not end where the directory says")
