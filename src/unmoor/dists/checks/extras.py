"""Extra fields of a ZIP member's header: ZIP64 sizes and names in Unicode (APPNOTE.TXT, 4.5.3 and 4.6.9)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
SENTINEL = 0xFFFFFFFF
# The lengths that PyPI takes: nothing, one size, two, and with an offset, and with a disk.
_ZIP64_LENGTHS = (0, 8, 16, 24, 28)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How long a member is, packed and unpacked, in bytes."""

    packed: int
    size: int


@dataclass(frozen=True, kw_only=True)
class EntrySizes:
    """How long a member is, packed and unpacked, and where its header begins, in bytes."""

    packed: int
    size: int
    offset: int


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Take extra fields apart. Raises ``ValueError`` where they are cut off."""
    while extra:
        if len(extra) < 4:  # noqa: PLR2004 - two numbers of two bytes
            raise ValueError
        kind, length = struct.unpack("<HH", extra[:4])
        if length + 4 > len(extra):
            raise ValueError
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def extra_faults(extra: bytes) -> Iterator[str]:
    """Say what is wrong with extra fields."""
    seen = set()
    try:
        for kind, data in _fields(extra):
            if kind in seen and kind in (_ZIP64, _UNICODE_PATH):
                yield "an extra field twice"
            seen.add(kind)
            if kind == _ZIP64 and len(data) not in _ZIP64_LENGTHS:
                yield "a ZIP64 field of an odd length"
            if kind == _UNICODE_PATH:
                yield from _unicode_fault(data[5:])
    except ValueError:
        yield "extra fields that are cut off"


def _unicode_fault(name: bytes) -> Iterator[str]:
    try:
        name.decode("utf-8")
    except UnicodeError:
        yield "a second name that is not UTF-8"
    if any(byte < 32 or byte == 127 for byte in name):  # noqa: PLR2004 - C0 controls and DEL
        yield "a second name with an unprintable character"


def sizes_of_header(header: Sizes, extra: bytes, *, stored: bool) -> Sizes | None:
    """Read the sizes in a header, with those of its ZIP64 field; ``None`` where that field cannot give them."""
    found = next((data for kind, data in _fields(extra) if kind == _ZIP64), None)
    if found is None:
        return header
    if not found:
        return None if SENTINEL in (header.packed, header.size) else header
    (size,) = struct.unpack("<Q", found[:8])
    if len(found) == 8:  # noqa: PLR2004 - one number: both sizes, where nothing was compressed
        return Sizes(packed=size, size=size if header.size == SENTINEL else header.size) if stored else None
    (packed,) = struct.unpack("<Q", found[8:16])
    return Sizes(packed=packed, size=size if header.size == SENTINEL else header.size)


def sizes_of_entry(extra: bytes, *, size: int, packed: int, offset: int) -> EntrySizes | None:
    """Read what an entry of the directory leaves to its ZIP64 field; ``None`` where that does not give it."""
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
