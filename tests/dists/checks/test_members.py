"""Members of an archive are unpacked in chunks, completely or with an error."""

from __future__ import annotations

import io
import zlib

import pytest

from unmoor.dists.checks.archives import CHUNK, path_fault
from unmoor.dists.checks.members import ArchiveMember, DamagedMember, chunks

SMALL = b"a few words"
LARGE = bytes(range(256)) * (CHUNK // 100)
"""More than one chunk, both packed and unpacked."""


def deflate(data: bytes, level: int = 0) -> bytes:
    """Raw deflate data. Level 0 does not compress."""
    packing = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


def member(data: bytes, packed: bytes, *, deflated: bool, **other: int) -> ArchiveMember:
    """A member as a correct directory describes it, except for the fields in ``other``."""
    values = {"start": 3, "packed": len(packed), "size": len(data), "crc": zlib.crc32(data), **other}
    return ArchiveMember("one", values["start"], values["packed"], values["size"], values["crc"], deflated)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a/b.py", ""),
        ("ab:c.py", ""),
        ("a/b:c.py", ""),
        ("/a.py", "is an absolute path"),
        ("//a.py", "is an absolute path"),
        ("a:b.py", "begins with the drive a: of Windows"),
        ("C:/a.py", "begins with the drive C: of Windows"),
        ("a:", "begins with the drive a: of Windows"),
        ("C:\\a.py", "begins with the drive C: of Windows"),
        ("a\\b.py", "contains a backslash"),
        ("a/../../b.py", "leads out of the archive"),
    ],
)
def test_what_is_wrong_with_a_name(name: str, fault: str) -> None:
    """A name gets the reason that is true of it: only a slash at the start makes it absolute."""
    assert path_fault(name) == fault


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("level", [None, 0, 9], ids=["stored", "deflated", "deflated well"])
def test_correct_member_is_unpacked(data: bytes, level: int | None) -> None:
    """A correct member of any size and compression is unpacked from its offset in the file."""
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
        ({"crc": 1}, 0, "is damaged: wrong checksum"),
        ({"size": -1}, 0, "has another size than the directory says"),
        ({"size": 1}, 0, "has another size than the directory says"),
        ({}, 1, "is cut off"),
    ],
    ids=["checksum", "longer", "shorter", "cut off"],
)
def test_member_that_differs_from_the_directory(
    data: bytes, other: dict[str, int], cut: int, words: str, *, deflated: bool
) -> None:
    """The error is the same whether the member is read at once or in chunks, and never more than its size is read."""
    packed = deflate(data) if deflated else data
    fields = {name: len(data) + value if name == "size" else value for name, value in other.items()}
    entry = member(data, packed, deflated=deflated, **fields)
    length = 0
    with pytest.raises(DamagedMember, match=words) as caught:  # noqa: PT012 - it may fail at any chunk
        for chunk in chunks(io.BytesIO(b"PK." + packed[: len(packed) - cut]), entry):
            length += len(chunk)
    assert length <= entry.size, caught.value


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_invalid_deflate_data(data: bytes) -> None:
    """Data that is not a deflate stream, continues after it, or ends before it, is an error."""
    for packed, words in [
        (b"\xff" * len(deflate(data)), "cannot unpack one"),
        (deflate(data) + b"more", "does not end where the directory says"),
        (deflate(data)[:-5], "does not end where the directory says"),
    ]:
        entry = member(data, packed, deflated=True)
        with pytest.raises(DamagedMember, match=words):
            list(chunks(io.BytesIO(b"PK." + packed), entry))
