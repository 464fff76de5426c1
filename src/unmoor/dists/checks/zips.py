"""Check a wheel as a ZIP archive: every program must read it the same way, from the front or from the back.

Installers read the directory at the end, other programs the header before each member. PyPI refuses
archives that the two could read differently (docs: "Archive Formats"), and so do these checks: the directory and
all headers must agree, and must fill the file from its first byte to its last. ``zipfile`` checks none of that.
For the layout, see APPNOTE.TXT, sections 4.3 and 4.5.
"""

from __future__ import annotations

import os
import stat
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from unmoor.dists.checks.archives import COUNT_LIMIT, MEMBERS, is_plain, path_fault
from unmoor.dists.checks.extras import SENTINEL, Sizes, extra_faults, is_surplus, sizes_of_entry, sizes_of_header
from unmoor.dists.checks.members import ArchiveMember
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.checks.zip_end import ContradictoryEnds, MisplacedDirectory, ZipEnd, find_end, is_refused

UNREADABLE = CheckRule(name="zip-unreadable", refuses="a wheel that is not a readable ZIP archive")
TRAILING = CheckRule(name="zip-trailing", refuses="bytes after the end of the archive")
GAP = CheckRule(name="zip-gap", refuses="bytes before, between or after the members that belong to none of them")
HIDDEN = CheckRule(name="zip-hidden", refuses="a member that is missing from the directory, or only listed there")
OFFSET = CheckRule(
    name="zip-offset", refuses="a directory that says of a member that it is elsewhere in the archive", by=By.INSTALLERS
)
DIRECTORY = CheckRule(name="zip-directory", refuses="a directory that does not match its end record")
ENDS = CheckRule(name="zip-ends", refuses="several disks, or two end records that contradict each other", by=By.UNMOOR)
DUPLICATE = CheckRule(name="zip-duplicate", refuses="two members with the same name")
MISMATCH = CheckRule(name="zip-mismatch", refuses="a member with another name or size in its header than the directory")
HEADER = CheckRule(
    name="zip-header",
    refuses="a member with another method, flag or checksum in its header than the directory",
    by=By.UNMOOR,
)
DESCRIPTOR = CheckRule(name="zip-descriptor", refuses="sizes that follow the data (data descriptors)")
EXTRA = CheckRule(name="zip-extra", refuses="malformed or repeated extra fields in the header of a member")
CENTRAL_EXTRA = CheckRule(
    name="zip-extra-directory", refuses="malformed or repeated extra fields in the directory", by=By.INSTALLERS
)
COMMENT = CheckRule(name="zip-comment", refuses="comments on members")
ARCHIVE_COMMENT = CheckRule(name="zip-archive-comment", refuses="a comment on the archive", by=By.UNMOOR, warns=True)
METHOD = CheckRule(name="zip-method", refuses="compression methods other than stored and deflated")
ENCRYPTED = CheckRule(name="zip-encrypted", refuses="encrypted members", by=By.INSTALLERS)
UNSUPPORTED = CheckRule(
    name="zip-unsupported",
    refuses="compressed patched data (flag bit 5), and versions of the format that zipfile does not read",
    by=By.INSTALLERS,
)
NAME = CheckRule(name="zip-name", refuses="names with unprintable characters, or not marked as UTF-8")
PATH = CheckRule(
    name="zip-path",
    refuses="names that are absolute, begin with a drive, lead out, are too long or contain a backslash",
    by=By.INSTALLERS,
)
LINK = CheckRule(name="zip-link", refuses="symbolic links", by=By.INSTALLERS)
DAMAGED = CheckRule(
    name="zip-damaged", refuses="a member whose bytes do not match its size or checksum", by=By.INSTALLERS
)
DAMAGED_SOURCE = CheckRule(
    name="zip-damaged-source", refuses="Python source or a WHEEL file whose bytes do not match its size or checksum"
)
RULES = (
    UNREADABLE, TRAILING, GAP, HIDDEN, OFFSET, DIRECTORY, ENDS, DUPLICATE, MISMATCH, HEADER, DESCRIPTOR, EXTRA,
    CENTRAL_EXTRA, COMMENT, ARCHIVE_COMMENT, METHOD, ENCRYPTED, UNSUPPORTED, NAME, PATH, LINK, DAMAGED, DAMAGED_SOURCE,
)  # fmt: skip

_LOCAL, _CENTRAL = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L")
_LOCAL_SIGN, _CENTRAL_SIGN = b"PK\x03\x04", b"PK\x01\x02"
_STORED, _DEFLATED = 0, 8
_ENCRYPTION = 0x0001 | 0x0040 | 0x2000
_STREAMED, _PATCHED, _UTF8 = 0x0008, 0x0020, 0x0800
# The newest version of the format that zipfile reads, times ten.
_NEWEST = 63
# The largest directory that is read into memory: COUNT_LIMIT members with long names.
_DIRECTORY_LIMIT = 64 << 20


class DirectoryEntry(NamedTuple):
    """One member as listed in the directory. ``raw`` is its name as written; sizes and offset are in bytes."""

    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int

    @property
    def is_ordinary(self) -> bool:
        """Whether this entry needs no closer check, like nearly all members."""
        return (
            self.method in (_STORED, _DEFLATED)
            and not self.flags & ~_UTF8
            and is_plain(self.raw)
            and not stat.S_ISLNK(self.mode)
        )

    @property
    def display_name(self) -> str:
        """The name to use in messages."""
        return self.raw[:200].decode("utf-8", "replace")


def read_members(stream: IO[bytes], problems: list[Problem]) -> tuple[ArchiveMember, ...]:
    """Read the members of an archive and add what is wrong to ``problems``. Empty if it cannot be read."""
    length = stream.seek(0, os.SEEK_END)
    end = _find_end(stream, length, problems)
    if end is None:
        return ()
    problems.extend(_check_end(end, length))
    entries = _read_directory(stream, end, problems)
    if entries is not None:
        return _check_headers(stream, end, entries, problems)
    if is_refused(stream):
        problems.append(violation(UNREADABLE, "it is not a readable ZIP archive"))
    return ()


def _find_end(stream: IO[bytes], length: int, problems: list[Problem]) -> ZipEnd | None:
    """Find the end record. Returns ``None`` and adds a problem if there is none, is wrong, or lists too much."""
    try:
        end = find_end(stream, length)
    except MisplacedDirectory as error:
        problems.append(violation(DIRECTORY, str(error)))
        return None
    except ContradictoryEnds as error:
        problems.append(violation(UNREADABLE if is_refused(stream) else ENDS, str(error)))
        return None
    except ValueError as error:
        problems.append(violation(UNREADABLE, f"it is not a readable ZIP archive: {error}"))
        return None
    if end.offset + end.size != end.at:
        problems.append(violation(DIRECTORY, "the directory is not where its end record says"))
        return None
    if end.size > _DIRECTORY_LIMIT or COUNT_LIMIT < end.count <= end.size // _CENTRAL.size:
        problems.append(violation(MEMBERS, f"it contains {end.count} members, but the limit is {COUNT_LIMIT}"))
        return None
    return end


def _check_end(end: ZipEnd, length: int) -> Iterator[Problem]:
    """Check what follows the directory."""
    if end.after != length:
        yield violation(TRAILING, f"{length - end.after} bytes follow the end of the archive")
    if end.comment:
        yield violation(ARCHIVE_COMMENT, f"the archive has a comment of {len(end.comment)} bytes")
    if b"PK\x05\x06" in end.comment:
        yield violation(ENDS, "the comment of the archive contains another end record")


def _read_directory(stream: IO[bytes], end: ZipEnd, problems: list[Problem]) -> list[DirectoryEntry] | None:
    """Read the directory. Returns ``None`` if it does not match its end record."""
    stream.seek(end.offset)
    data = stream.read(end.size)
    found = []
    at = 0
    while at + _CENTRAL.size <= len(data) and data.startswith(_CENTRAL_SIGN, at):
        one, at = _read_entry(data, at, problems)
        if one is None:
            return None
        found.append(one)
    if at != end.size or len(found) != end.count:
        problems.append(
            violation(DIRECTORY, f"the directory does not have the {end.count} members that its end record says")
        )
        return None
    twice = sorted(name for name, count in Counter(each.raw for each in found).items() if count > 1)
    problems += [violation(DUPLICATE, f"{name.decode('utf-8', 'replace')} occurs more than once") for name in twice]
    return found


def _read_entry(data: bytes, at: int, problems: list[Problem]) -> tuple[DirectoryEntry | None, int]:
    """Read one directory entry. Returns it, or ``None`` if its sizes are unreadable, and the offset of the next one."""
    (_, _, needed, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, offset) = (
        _CENTRAL.unpack_from(data, at)
    )
    name_length, extra_length, comment_length = lengths
    begun = at + _CENTRAL.size
    raw = data[begun : begun + name_length]
    extra = data[begun + name_length : begun + name_length + extra_length]
    one = DirectoryEntry(raw, flags, method, crc, packed, size, offset, attributes >> 16)
    if extra and (faults := list(extra_faults(extra))):
        problems += [violation(CENTRAL_EXTRA, f"{one.display_name} has {fault} in the directory") for fault in faults]
        return None, at
    if is_surplus(extra, (packed, size, offset).count(SENTINEL)):
        problems.append(
            violation(CENTRAL_EXTRA, f"{one.display_name} has a ZIP64 field with surplus numbers in the directory")
        )
    if SENTINEL in (packed, size, offset):
        placed = sizes_of_entry(extra, size=size, packed=packed, offset=offset)
        if placed is None:
            problems.append(
                violation(CENTRAL_EXTRA, f"{one.display_name} has a ZIP64 field without its sizes in the directory")
            )
            return None, at
        one = one._replace(size=placed.size, packed=placed.packed, offset=placed.offset)
    problems.extend(_check_version(one, needed))
    if comment_length:
        problems.append(violation(COMMENT, f"{one.display_name} has a comment"))
    if disk:
        problems.append(violation(ENDS, f"{one.display_name} is on another disk"))
    return one, begun + name_length + extra_length + comment_length


def _check_version(one: DirectoryEntry, needed: int) -> Iterator[Problem]:
    """Check the version of the format that a member needs, times ten."""
    if needed & 0xFF > _NEWEST:
        yield violation(UNSUPPORTED, f"{one.display_name} needs version {(needed & 0xFF) / 10} of the ZIP format")


def _check_headers(
    stream: IO[bytes], end: ZipEnd, entries: Sequence[DirectoryEntry], problems: list[Problem]
) -> tuple[ArchiveMember, ...]:
    """Check every header in file order. Members must follow each other without gaps, from the first byte."""
    found: list[ArchiveMember] = []
    at = 0
    is_shifted = False
    headers: list[Problem] = []
    for one in sorted(entries, key=lambda each: each.offset):
        if at != one.offset:
            is_shifted = True
            headers.append(_gap_problem(stream, at, one.offset, one.display_name))
        if not one.is_ordinary:
            problems.extend(_check_entry(one))
        start = _check_header(stream, one, headers)
        if start is None:
            found.clear()
            is_shifted = True
            break
        at = start + one.packed
        readable = one.method in (_STORED, _DEFLATED) and not one.flags & (_ENCRYPTION | _PATCHED)
        name = one.raw.decode("utf-8", "replace")
        found.append(ArchiveMember(name, start, one.packed, one.size, one.crc, one.method == _DEFLATED, readable))
    else:
        if at != end.offset:
            headers.append(_gap_problem(stream, at, end.offset, "the directory"))
    if is_shifted and _is_whole(stream, end, entries):
        rule = UNREADABLE if is_refused(stream) else OFFSET
        problems.append(violation(rule, "the directory says of a member that it is elsewhere in the archive"))
        return ()
    problems.extend(headers)
    return tuple(found)


def _is_whole(stream: IO[bytes], end: ZipEnd, entries: Sequence[DirectoryEntry]) -> bool:
    """Whether the members follow each other without gaps if one goes by their headers, as PyPI does."""
    expected = {one.raw: Sizes(packed=one.packed, size=one.size) for one in entries}
    at = 0
    while at < end.offset:
        stream.seek(at)
        head = stream.read(_LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(_LOCAL_SIGN):
            return False
        _, _, _, method, _, _, _, packed, size, name_length, extra_length = _LOCAL.unpack(head)
        name, extra = stream.read(name_length), stream.read(extra_length)
        if any(extra_faults(extra)):
            return False
        sizes = sizes_of_header(Sizes(packed=packed, size=size), extra, stored=method == _STORED)
        if sizes is None or sizes != expected.pop(name, None):
            return False
        at += _LOCAL.size + name_length + extra_length + sizes.packed
    return at == end.offset and not expected


def _gap_problem(stream: IO[bytes], at: int, expected: int, what: str) -> Problem:
    """Describe the bytes between the end of one member and the next header or the directory."""
    stream.seek(min(at, expected))
    if at < expected and stream.read(4) == _LOCAL_SIGN:
        return violation(HIDDEN, f"before {what} is a member that the directory does not list")
    return violation(GAP, f"{what} starts at byte {expected}, but what precedes it ends at byte {at}")


def _check_entry(one: DirectoryEntry) -> Iterator[Problem]:
    """Check the directory entry of a member."""
    try:
        name = one.raw.decode()
    except UnicodeError:
        yield violation(NAME, f"the name {one.display_name} is not UTF-8")
        return
    if not one.flags & _UTF8 and not one.raw.isascii():
        yield violation(NAME, f"the name {name} is not marked as UTF-8")
    if fault := path_fault(name):
        yield violation(NAME if "unprintable" in fault else PATH, f"the name {name} {fault}")
    if one.method not in (_STORED, _DEFLATED):
        yield violation(METHOD, f"{name} is compressed with method {one.method}")
    if one.flags & _ENCRYPTION:
        yield violation(ENCRYPTED, f"{name} is encrypted")
    if one.flags & _PATCHED:
        yield violation(UNSUPPORTED, f"{name} is compressed patched data")
    if stat.S_ISLNK(one.mode):
        yield violation(LINK, f"{name} is a symbolic link")
    if name.endswith("/") and one.size:
        yield violation(DAMAGED, f"the folder {name} contains data")


def _check_header(stream: IO[bytes], one: DirectoryEntry, problems: list[Problem]) -> int | None:
    """Compare the header of a member with the directory. Returns the offset of its data, ``None`` without a header."""
    stream.seek(one.offset)
    head = stream.read(_LOCAL.size + len(one.raw))
    if len(head) < _LOCAL.size or not head.startswith(_LOCAL_SIGN):
        problems.append(violation(HIDDEN, f"{one.display_name} has no header where the directory says"))
        return None
    _, needed, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(head)
    problems.extend(_check_version(one, needed))
    length: int = _LOCAL.size + name_length + extra_length
    head += stream.read(max(0, length - len(head)))
    name, extra = head[_LOCAL.size : _LOCAL.size + name_length], head[_LOCAL.size + name_length : length]
    if (name, flags, method, crc, packed, size, extra) != (*one[:6], b""):
        problems.extend(_compare_header(one, name, flags, (method, crc)))
        problems.extend(_compare_sizes(one, Sizes(packed=packed, size=size), extra, streamed=bool(flags & _STREAMED)))
    elif flags & _STREAMED:
        problems.append(violation(DESCRIPTOR, f"{one.display_name} has its sizes after its data (a data descriptor)"))
    return one.offset + length


def _compare_header(one: DirectoryEntry, name: bytes, flags: int, header: tuple[int, int]) -> Iterator[Problem]:
    """Compare the header of a member with its directory entry, except for the sizes."""
    if name != one.raw:
        yield violation(MISMATCH, f"{one.display_name} is called {name[:200].decode('utf-8', 'replace')} in its header")
    if flags & _STREAMED:
        yield violation(DESCRIPTOR, f"{one.display_name} has its sizes after its data (a data descriptor)")
    elif header != (one.method, one.crc) or (flags ^ one.flags) & (_ENCRYPTION | _PATCHED):
        yield violation(
            HEADER, f"{one.display_name} has another method, flag or checksum in its header than in the directory"
        )


def _compare_sizes(one: DirectoryEntry, header: Sizes, extra: bytes, *, streamed: bool) -> Iterator[Problem]:
    """Compare the sizes in the header of a member, or in its ZIP64 field, with the directory."""
    if faults := list(extra_faults(extra)):
        yield from (violation(EXTRA, f"{one.display_name} has {fault}") for fault in faults)
        return
    sizes = sizes_of_header(header, extra, stored=one.method == _STORED)
    if sizes is None:
        yield violation(EXTRA, f"{one.display_name} has a ZIP64 field without its sizes")
    elif sizes != Sizes(packed=one.packed, size=one.size) and not streamed:
        yield violation(MISMATCH, f"{one.display_name} has other sizes in its header than in the directory")
