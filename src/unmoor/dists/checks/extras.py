"""Extra fields in ZIP headers: ZIP64 sizes and Unicode names (APPNOTE.TXT, 4.5.3 and 4.6.9)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
SENTINEL = 0xFFFFFFFF
# The lengths that PyPI accepts: empty; one size; two sizes; plus an offset; plus a disk number.
_ZIP64_LENGTHS = (0, 8, 16, 24, 28)


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """The packed and unpacked size of a member, in bytes."""

    packed: int
    size: int


class EntrySizes(msgspec.Struct, frozen=True, kw_only=True):
    """The packed and unpacked size of a member, and the offset of its header, in bytes."""

    packed: int
    size: int
    offset: int


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Split extra fields into kind and data. Raises ``ValueError`` if they are cut off."""
    while extra:
        if len(extra) < 4:  # noqa: PLR2004 - two numbers of two bytes
            raise ValueError
        kind, length = struct.unpack("<HH", extra[:4])
        if length + 4 > len(extra):
            raise ValueError
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def extra_faults(extra: bytes) -> Iterator[str]:
    """List what is wrong with extra fields."""
    seen = set()
    try:
        for kind, data in _fields(extra):
            if kind in seen and kind in (_ZIP64, _UNICODE_PATH):
                yield "a duplicate extra field"
            seen.add(kind)
            if kind == _ZIP64 and len(data) not in _ZIP64_LENGTHS:
                yield "a ZIP64 field of invalid length"
            if kind == _UNICODE_PATH:
                yield from _unicode_fault(data[5:])
    except ValueError:
        yield "truncated extra fields"


def _unicode_fault(name: bytes) -> Iterator[str]:
    try:
        name.decode("utf-8")
    except UnicodeError:
        yield "a second name that is not UTF-8"
    if any(byte < 32 or byte == 127 for byte in name):  # noqa: PLR2004 - C0 controls and DEL
        yield "a second name with an unprintable character"


def sizes_of_header(header: Sizes, extra: bytes, *, stored: bool) -> Sizes | None:
    """Return the sizes of a header, completed from its ZIP64 field. ``None`` if that field lacks them."""
    found = next((data for kind, data in _fields(extra) if kind == _ZIP64), None)
    if found is None:
        return header
    if not found:
        return None if SENTINEL in (header.packed, header.size) else header
    (size,) = struct.unpack("<Q", found[:8])
    if len(found) == 8:  # noqa: PLR2004 - one number: both sizes, if nothing is compressed
        return Sizes(packed=size, size=size if header.size == SENTINEL else header.size) if stored else None
    (packed,) = struct.unpack("<Q", found[8:16])
    return Sizes(packed=packed, size=size if header.size == SENTINEL else header.size)


def is_surplus(extra: bytes, missing: int) -> bool:
    """Whether the ZIP64 field of a directory entry holds more than the ``missing`` sizes and offset."""
    data = next((data for kind, data in _fields(extra) if kind == _ZIP64), b"")
    return len(data) > 8 * missing


def sizes_of_entry(extra: bytes, *, size: int, packed: int, offset: int) -> EntrySizes | None:
    """Return sizes and offset of a directory entry, completed from its ZIP64 field. ``None`` if that lacks them."""
    data = next((data for kind, data in _fields(extra) if kind == _ZIP64), b"")
    values = []
    for value in (size, packed, offset):
        if value == SENTINEL:
            if len(data) < 8:  # noqa: PLR2004 - one number
                return None
            values.append(int.from_bytes(data[:8], "little"))
            data = data[8:]
        else:
            values.append(value)
    return EntrySizes(size=values[0], packed=values[1], offset=values[2])
