"""Members of an archive are unpacked in pieces: all of them, or one reason why not."""

from __future__ import annotations

import io
import zlib

import pytest

from unmoor.dists.checks.archives import CHUNK
from unmoor.dists.checks.members import ArchiveMember, DamagedMember, chunks

SMALL = b"a few words"
LARGE = bytes(range(256)) * (CHUNK // 100)
"""More than one piece, packed as well as unpacked."""


def deflate(data: bytes, level: int = 0) -> bytes:
    """Raw deflated bytes; level 0 keeps them as long as they were."""
    packing = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


def member(data: bytes, packed: bytes, *, deflated: bool, **other: int) -> ArchiveMember:
    """What an honest directory says of it, unless told otherwise."""
    values = {"start": 3, "packed": len(packed), "size": len(data), "crc": zlib.crc32(data), **other}
    return ArchiveMember(name="one", deflated=deflated, **values)


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("level", [None, 0, 9], ids=["stored", "deflated", "deflated well"])
def test_an_honest_member_comes_out_whole(data: bytes, level: int | None) -> None:
    """Whatever its size, and however it is packed, from where it begins in the file."""
    packed = data if level is None else deflate(data, level)
    entry = member(data, packed, deflated=level is not None)
    pieces = list(chunks(io.BytesIO(b"PK." + packed + b"more"), entry))
    assert b"".join(pieces) == data
    assert max(map(len, pieces), default=0) <= CHUNK


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("deflated", [False, True], ids=["stored", "deflated"])
@pytest.mark.parametrize(
    ("other", "cut", "words"),
    [
        ({"crc": 1}, 0, "its checksum is wrong"),
        ({"size": -1}, 0, "longer or shorter than the directory says"),
        ({"size": 1}, 0, "longer or shorter than the directory says"),
        ({}, 1, "is cut off"),
    ],
    ids=["checksum", "longer", "shorter", "cut off"],
)
def test_a_member_that_is_not_what_the_directory_says(
    data: bytes, other: dict[str, int], cut: int, words: str, *, deflated: bool
) -> None:
    """One error, whether it is read at once or in pieces; never more bytes than it may hold."""
    packed = deflate(data) if deflated else data
    told = {name: len(data) + value if name == "size" else value for name, value in other.items()}
    entry = member(data, packed, deflated=deflated, **told)
    given = 0
    with pytest.raises(DamagedMember, match=words) as caught:  # noqa: PT012 - it may fail at any piece
        for piece in chunks(io.BytesIO(b"PK." + packed[: len(packed) - cut]), entry):
            given += len(piece)
    assert given <= entry.size, caught.value


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_packed_bytes_that_do_not_unpack(data: bytes) -> None:
    """Packed bytes that are no deflate stream, that go on after it, or that end before it does."""
    for packed, words in [
        (b"\xff" * len(deflate(data)), "cannot be unpacked"),
        (deflate(data) + b"more", "does not end where the directory says"),
        (deflate(data)[:-5], "does not end where the directory says"),
    ]:
        entry = member(data, packed, deflated=True)
        with pytest.raises(DamagedMember, match=words):
            list(chunks(io.BytesIO(b"PK." + packed), entry))
