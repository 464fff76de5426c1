"""Read the records of a ZIP archive from the first byte on, as PyPI does, and refuse unexpected ones.

The release's own check starts from the directory at the end. The two share no code, so that each of them
reveals mistakes in the other.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

_SENTINEL = 0xFFFFFFFF


class FramingError(Exception):
    """The archive has a structure that PyPI refuses; the text is PyPI's."""


_MALFORMED = "Malformed zip file"


@dataclass
class ZipReader:
    """The state of reading one archive: the records so far."""

    stream: IO[bytes]
    sizes: Mapping[str, tuple[int, int]]
    local: set[bytes] = field(default_factory=set)
    central: list[bytes] = field(default_factory=list)
    begins: int | None = None
    length: int = 0
    zip64: tuple[int, int, int] | None = None
    zip64_at: int = -1
    located: bool = False
    is_over: bool = False

    def take(self, count: int) -> bytes:
        """Read ``count`` bytes. Raises `FramingError` if there are fewer."""
        data = self.stream.read(count)
        if len(data) < count:
            raise FramingError(_MALFORMED)
        return data

    def member(self) -> None:
        """Read a member's header, and skip its bytes."""
        fixed = self.take(26)
        flags, method = struct.unpack_from("<HH", fixed, 2)
        packed, size, name_length, extra_length = struct.unpack_from("<LLHH", fixed, 14)
        name, extra = self.take(name_length), self.take(extra_length)
        _printable(name)
        packed, size = _extras(extra, method, packed, size)
        if flags & 8:
            raise FramingError("ZIP contains a data descriptor")
        try:
            wanted = self.sizes[name.decode()]
        except UnicodeError:
            raise FramingError("Filename not unicode") from None
        except KeyError:
            raise FramingError("Filename not in central directory") from None
        if packed != wanted[0]:
            raise FramingError("Mis-matched data size")
        if size != wanted[1]:
            raise FramingError("Mis-matched file size")
        self.stream.seek(packed, io.SEEK_CUR)
        if name in self.local:
            raise FramingError("Duplicate filename in local headers")
        self.local.add(name)

    def entry(self) -> None:
        """Read an entry of the directory."""
        if self.begins is None:
            self.begins = self.stream.tell() - 4
        name_length, extra_length, comment_length = struct.unpack_from("<HHH", self.take(42), 24)
        if comment_length:
            raise FramingError("Comment in central directory")
        name = self.take(name_length)
        self.take(extra_length)
        _printable(name)
        if name in self.central:
            raise FramingError("Duplicate filename in central directory")
        if name not in self.local:
            raise FramingError("Missing filename in local headers")
        self.central.append(name)
        self.length += 46 + name_length + extra_length

    def end64(self) -> None:
        """Read the ZIP64 end of the directory."""
        self.zip64_at = self.stream.tell() - 4
        length, here, count, size, offset = struct.unpack("<Q12x4Q", self.take(52))
        if here != count:
            raise FramingError(_MALFORMED)
        if length != 44:  # noqa: PLR2004 - the record without extensible data
            raise FramingError("ZIP64 extensible data not allowed")
        self.zip64 = (count, size, offset)

    def locator(self) -> None:
        """Read the locator of the ZIP64 end."""
        (where,) = struct.unpack_from("<Q", self.take(16), 4)
        if where != self.zip64_at:
            raise FramingError("Corrupt zip64 end of central directory locator")
        self.located = True

    def end(self) -> None:
        """Read the end of the directory, and the comment of the archive."""
        if self.zip64 is not None and not self.located:
            raise FramingError(_MALFORMED)
        begins = self.stream.tell() - 4 if self.begins is None else self.begins
        here, count, size, offset, comment = struct.unpack_from("<HHLLH", self.take(18), 4)
        if here != count:
            raise FramingError(_MALFORMED)
        self.take(comment)
        if self.zip64 is not None and self.located:
            count, size, offset = self.zip64
        if count != len(self.central):
            raise FramingError("Mismatched central directory records")
        if offset != begins:
            raise FramingError("Mismatched central directory offset")
        if size != self.length:
            raise FramingError("Mismatched central directory size")
        self.is_over = True


_RECORDS: Mapping[bytes, Callable[[ZipReader], None]] = {
    b"PK\x03\x04": ZipReader.member,
    b"PK\x01\x02": ZipReader.entry,
    b"PK\x06\x06": ZipReader.end64,
    b"PK\x06\x07": ZipReader.locator,
    b"PK\x05\x06": ZipReader.end,
}


def walk(archive: zipfile.ZipFile) -> None:
    """Read every record of an archive. Raises `FramingError`."""
    stream = archive.fp
    if stream is None:
        raise FramingError(_MALFORMED)
    stream.seek(0)
    sizes = {info.orig_filename: (info.compress_size, info.file_size) for info in archive.infolist()}
    reading = ZipReader(stream, sizes)
    while not reading.is_over:
        record = _RECORDS.get(reading.take(4))
        if record is None:
            raise FramingError("Unknown record signature")
        record(reading)
    if set(reading.central) != reading.local:
        raise FramingError("Mis-matched local headers and central directory")
    if stream.read(1):
        raise FramingError("Trailing data")


def _printable(name: bytes) -> None:
    if any(byte < 0x20 or byte == 0x7F for byte in name):  # noqa: PLR2004 - C0 controls and DEL
        raise FramingError("Invalid character in filename")


def _split(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(extra):
        if at + 4 > len(extra):
            raise FramingError(_MALFORMED)
        kind, length = struct.unpack_from("<HH", extra, at)
        if at + 4 + length > len(extra):
            raise FramingError(_MALFORMED)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _extras(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Check the extra fields of a member's header, and return its sizes according to them."""
    met: set[int] = set()
    for kind, data in _split(extra):
        if kind in met and kind in {0x0001, 0x7075}:
            raise FramingError("Invalid duplicate extra in local file")
        met.add(kind)
        if kind == 0x0001:
            packed, size = _zip64(data, method, packed, size)
        elif kind == 0x7075:  # noqa: PLR2004 - a name in Unicode, after a version and a checksum
            _printable(data[5:])
            try:
                data[5:].decode()
            except UnicodeError:
                raise FramingError("Filename not valid UTF-8") from None
    return packed, size


def _zip64(data: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    numbers = struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])
    match len(data):
        case 0 if _SENTINEL not in (packed, size):
            return packed, size
        case 8 if method == zipfile.ZIP_STORED:
            return numbers[0], numbers[0] if size == _SENTINEL else size
        case 16 | 24 | 28:
            return numbers[1], numbers[0] if size == _SENTINEL else size
        case _:
            raise FramingError(_MALFORMED)
