"""Whatever the headers of an archive say, a file is refused or read: nothing else is raised, and nothing hangs."""

from __future__ import annotations

import contextlib
import gc
import gzip
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dists.checks.packing import Member, Sdist, Wheel, metadata

from unmoor.artifacts.files import describe_file
from unmoor.dists import inspect
from unmoor.dists.checks import Examiner
from unmoor.dists.normalize import normalize
from unmoor.errors import InvalidDist
from unmoor.util.values import replace

TOP = "light_house-1.0"
GOOD = Sdist(name="light-house", text=metadata("light-house", body="Words.\n"))
Header = tuple[bytes, bytes, bytes]
"""The type of a header, its size field, and its content."""


def block(header: Header, name: str = f"{TOP}/file") -> bytes:
    """One header with a correct checksum, and its content."""
    kind, size, content = header
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    raw = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    if size:
        raw[124:136] = size.ljust(12, b"\0")[:12]
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw) + content + bytes(-len(content) % 512)


def record(text: bytes) -> bytes:
    """A pax record: its length, and keyword=value."""
    length = len(text) + 2
    while length != len(b"%d %s\n" % (length, text)):
        length += 1
    return b"%d %s\n" % (length, text)


def sdist(folder: Path, *headers: Header) -> Path:
    """A good sdist with these headers in front."""
    filename, data = GOOD.file()
    path = folder / filename
    path.write_bytes(gzip.compress(b"".join(map(block, headers)) + gzip.decompress(data), mtime=0))
    return path


def read_everywhere(path: Path, folder: Path) -> set[str]:
    """Read a file in every way; return the rules that it breaks. A file that cannot be read is `InvalidDist`."""
    rules = {problem.rule.name for problem in Examiner().examine(describe_file(path)).problems}
    ways = [inspect.read_metadata]
    if path.name.endswith(".whl"):
        ways += [inspect.modules, inspect.entry_points]  # type: ignore[list-item]  # the result is not used
    else:
        ways += [lambda each: inspect.extract(each, folder / "out"), lambda each: normalize(each, 1)]  # type: ignore[list-item,return-value]
    for read in ways:
        with contextlib.suppress(InvalidDist):
            read(path)
    return rules


NEGATIVE = b"\xff" * 12
HUGE = b"\x80" + b"\xff" * 11
LARGE = b"77777777777\0"


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"], ids=bytes.decode)
@pytest.mark.parametrize("size", [NEGATIVE, HUGE, LARGE, b"\xff" * 11 + b"\xfe"], ids=bytes.hex)
def test_headers_with_a_size_that_lies(tmp_path: Path, kind: bytes, size: bytes) -> None:
    """A long name or a pax header with a negative or huge size is refused, and not read into memory."""
    assert read_everywhere(sdist(tmp_path, (kind, size, b"")), tmp_path) & {"tar-damaged", "tar-unreadable"}


@pytest.mark.parametrize("kind", [b"0", b"\0", b"5", b"7", b"S", b"V", b"1", b"2"], ids=repr)
@pytest.mark.parametrize("size", [NEGATIVE, HUGE, LARGE], ids=bytes.hex)
def test_members_with_a_size_that_lies(tmp_path: Path, kind: bytes, size: bytes) -> None:
    """A member with a negative or huge size is refused. A link, a folder or a device has no content to be read."""
    rules = read_everywhere(sdist(tmp_path, (kind, size, b"")), tmp_path)
    assert rules & {"tar-damaged", "tar-unreadable", "archive-bomb-sdist", "tar-duplicate", "tar-device", "tar-sparse"}


@pytest.mark.parametrize(
    "text",
    [
        b"size=-512",
        b"size=-1",
        b"size=" + b"9" * 40,
        b"size=" + b"9" * 5000,
        b"size=1e400",
        b"mtime=inf",
        b"uid=nan",
        b"path=",
        b"path=/etc/passwd",
        b"path=../x",
        b"path=a\0b",
        b"path=\xff\xfe",
        b"linkpath=/",
        b"hdrcharset=\xff",
        b"hdrcharset=none",
        b"GNU.sparse.map=1",
        b"GNU.sparse.map=a,b",
        b"GNU.sparse.map=-1,-1",
        b"GNU.sparse.size=-1",
        b"GNU.sparse.size=x",
        b"GNU.sparse.realsize=9999999999999999999999",
        b"GNU.sparse.major=1",
        b"GNU.sparse.name=/x",
        b"=",
        b"\xff=1",
    ],
    ids=lambda text: repr(text[:40]),
)
@pytest.mark.parametrize("kind", [b"x", b"g"], ids=bytes.decode)
def test_pax_records(tmp_path: Path, kind: bytes, text: bytes) -> None:
    """Any value of a pax header is taken or refused."""
    extra = record(b"GNU.sparse.minor=0") if b"major" in text else b""
    read_everywhere(sdist(tmp_path, (kind, b"", record(text) + extra), (b"0", b"", b"words")), tmp_path)


@pytest.mark.parametrize(
    "content", [b"5", b"0 a=b\n", b"99999 a=b\n", b"4 a=\n", b"1 a=b\n" * 3, b"\xff" * 512, b" " * 9]
)
def test_pax_lengths(tmp_path: Path, content: bytes) -> None:
    """A pax header whose records have wrong lengths is taken or refused."""
    read_everywhere(sdist(tmp_path, (b"x", b"", content), (b"0", b"", b"words")), tmp_path)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: what earlier tests left would be finalized where the stack ends, and fail."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"], ids=bytes.decode)
def test_a_chain_of_headers(tmp_path: Path, kind: bytes) -> None:
    """A chain of headers that is longer than Python's stack is refused."""
    content = record(b"comment=x") if kind in b"xg" else b"name\0"
    path = sdist(tmp_path, *[(kind, b"", content)] * 3000)
    assert read_everywhere(path, tmp_path) & {"tar-damaged", "tar-unreadable"}


HEADERS = st.tuples(
    st.sampled_from([b"L", b"K", b"x", b"g", b"S", b"X", b"N", b"0", b"1", b"2", b"5", b"7", b"\0", b"\xff"]),
    st.one_of(
        st.just(b""),
        st.sampled_from([NEGATIVE, HUGE, LARGE, b"-0000000001\0", b"zz", b"\x80" + bytes(10) + b"\x07"]),
        st.binary(min_size=12, max_size=12),
    ),
    st.one_of(
        st.binary(max_size=600),
        st.lists(
            st.tuples(
                st.sampled_from([b"size", b"path", b"linkpath", b"mtime", b"GNU.sparse.map", b"GNU.sparse.size"]),
                st.one_of(st.binary(max_size=12), st.integers(-(1 << 70), 1 << 70).map(lambda n: b"%d" % n)),
            ).map(lambda pair: record(pair[0] + b"=" + pair[1])),
            max_size=3,
        ).map(b"".join),
    ),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HEADERS, min_size=1, max_size=4))
def test_any_tar_header(headers: list[Header]) -> None:
    """Any header that a tar archive can hold is read or refused."""
    with tempfile.TemporaryDirectory() as folder:
        read_everywhere(sdist(Path(folder), *headers), Path(folder))


FIELDS = st.sampled_from(["method", "flags", "crc", "packed", "size"])
VALUES = st.sampled_from([0, 1, 8, 0x20, 0x40, 0xFFFF])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 3),
    st.dictionaries(FIELDS, VALUES, max_size=2),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.booleans(),
)
def test_any_zip_header(at: int, fields: dict[str, int], extra: bytes, central: bytes, both: bool) -> None:  # noqa: FBT001
    """Any header that a ZIP archive can hold is read or refused."""

    def change(members: list[Member]) -> list[Member]:
        how: dict[str, object] = {"extra": extra, "central_extra": central, "local": fields}
        if both:
            how |= {name: value for name, value in fields.items() if name != "packed"}
        return [*members[:at], replace(members[at], **how), *members[at + 1 :]]  # type: ignore[arg-type]  # by field name

    filename, data = Wheel(name="light-house", change=change).file()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, filename)
        path.write_bytes(data)
        read_everywhere(path, Path(folder))
