"""Compare two builds of one file by their members, and say which differ and how.

diffoscope shows more, but it is a program and no library, and it is under the GPL: here the members of ZIP and tar
archives are enough, read once.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec

from unmoor.dists.checks.archives import CHUNK, COUNT_LIMIT
from unmoor.dists.malformed import MALFORMED, BoundedHeader, is_malformed
from unmoor.util.text import clean

_MOST = 10
"""How many differing members are described; the rest are counted."""
_LINES = 3
"""How many differing lines of one member are shown."""
_LINE = 100
_TEXT_LIMIT = 1 << 20
"""The longest member, in bytes, whose lines are compared."""
_TOTAL_LIMIT = 2 << 30
"""How many bytes of unpacked members are read from one archive."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How a second build of a file differs from the first. ``differences``: one line or more for each member.

    ``members`` is the number of members that differ, 0 if only the archive around them does. ``masked``: the only
    difference is that modes lack what the other umask takes away.
    """

    differences: tuple[str, ...] = ()
    members: int = 0
    masked: bool = False

    @property
    def same(self) -> bool:
        """Whether a build with the umask of the first gives the same bytes."""
        return not self.differences


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member: what it is, and the digest of its content. ``time`` is as the archive writes it."""

    name: str
    kind: str
    mode: int
    time: str
    owner: str
    size: int
    sha256: str
    packing: str = ""


_ENTRY = b"PK\x01\x02"
_Read = Callable[[str], bytes]
_Marks = Mapping[str, str]


def compare(first: Path, second: Path, *, umask: int = 0, marks: Mapping[str, str] | None = None) -> Comparison:
    """Compare two builds of one file. ``umask`` is what the second build's umask took away beyond the first's.

    ``marks`` are texts that only the second build knew, such as its folder, each with the words for it: a member that
    holds one is explained by it.
    """
    if _digest(first) == _digest(second):
        return Comparison()
    try:
        with _open(first) as (ours, read_ours), _open(second) as (theirs, read_theirs):
            found = _differing(ours, theirs, umask)
            if umask and not found and first.suffix == ".whl" and _unmasked(first, second) == first.read_bytes():
                return Comparison(masked=True)
            lines: list[str] = []
            for name in found[:_MOST]:
                one, other = ours.get(name), theirs.get(name)
                if one is None or other is None:
                    lines.append(f"{clean(name)}: only in the {'second' if one is None else 'first'} build")
                    continue
                lines += _describe(one, other, umask)
                if one.sha256 != other.sha256:
                    lines += _content(one, other, read_ours, read_theirs, marks or {})
            lines += [f"and {len(found) - _MOST} more members"] if len(found) > _MOST else []
            if not found:
                lines.append(_around(first, second, ours, theirs))
            return Comparison(differences=tuple(lines), members=len(found))
    except MALFORMED as error:
        if not is_malformed(error):
            raise
        sizes = f"{first.stat().st_size:,} and {second.stat().st_size:,} bytes"
        return Comparison(differences=(f"one of them cannot be read as an archive ({sizes}): {clean(str(error))}",))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return _digest_of(stream)


def _digest_of(stream: IO[bytes]) -> str:
    digest = sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _differing(ours: Mapping[str, _Member], theirs: Mapping[str, _Member], umask: int) -> list[str]:
    """The names of members that differ in more than what the umask takes away, in the order of the first archive."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [name for name in names if not _alike(ours.get(name), theirs.get(name), umask)]


def _alike(one: _Member | None, other: _Member | None, umask: int) -> bool:
    if one is None or other is None:
        return False
    expected = {one.mode, one.mode & ~umask}
    return other.mode in expected and msgspec.structs.replace(other, mode=one.mode) == one


def _unmasked(first: Path, second: Path) -> bytes:
    """The bytes of the second wheel with the attributes that the members have in the first, which are in their order.

    Source: .ZIP File Format Specification, 4.3.12: the central directory.
    """
    with zipfile.ZipFile(first) as wheel:
        attributes = [info.external_attr for info in wheel.infolist()]
    with zipfile.ZipFile(second) as wheel:
        at = wheel.start_dir
    data = bytearray(second.read_bytes())
    for value in attributes:
        if data[at : at + 4] != _ENTRY:
            break
        data[at + 38 : at + 42] = value.to_bytes(4, "little")
        lengths = (data[at + offset : at + offset + 2] for offset in (28, 30, 32))
        at += 46 + sum(int.from_bytes(length, "little") for length in lengths)
    return bytes(data)


def _describe(one: _Member, other: _Member, umask: int) -> Iterator[str]:
    """Say what differs besides the content."""
    name = clean(one.name)
    if one.kind != other.kind:
        yield f"{name}: {one.kind} in the first build, {other.kind} in the second"
    if other.mode not in {one.mode, one.mode & ~umask}:
        yield f"{name}: mode {one.mode:04o} in the first build, {other.mode:04o} in the second"
    if one.time != other.time:
        yield f"{name}: time {one.time} in the first build, {other.time} in the second"
    if one.owner != other.owner:
        yield f"{name}: owner {clean(one.owner)} in the first build, {clean(other.owner)} in the second"
    if one.packing != other.packing:
        yield f"{name}: {one.packing} in the first build, {other.packing} in the second"


def _content(one: _Member, other: _Member, ours: _Read, theirs: _Read, marks: _Marks) -> Iterator[str]:
    """Say how the content differs: the first differing lines of texts, the sizes of everything else."""
    name = clean(one.name)
    sizes = f"{one.size:,} and {other.size:,} bytes"
    if max(one.size, other.size) > _TEXT_LIMIT:
        yield f"{name}: other bytes ({sizes})"
        return
    first, second = ours(one.name), theirs(other.name)
    known = [words for mark, words in marks.items() if mark and mark.encode() in second and mark.encode() not in first]
    why = f": the second holds {' and '.join(known)}" if known else ""
    lines, others = _lines_of(first), _lines_of(second)
    if lines is None or others is None:
        at = next(
            (at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]),
            min(len(first), len(second)),
        )
        yield f"{name}: other bytes from byte {at:,} on ({sizes}){why}"
        return
    if not why and sorted(lines) == sorted(others):
        why = ": the same lines in another order"
    yield f"{name}: another text ({sizes}){why}"
    yield from _first_lines(lines, others)


def _first_difference(one: Sequence[object], other: Sequence[object]) -> int:
    """Where two sequences begin to differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))


def _lines_of(data: bytes) -> list[str] | None:
    """The lines of a text, ``None`` if it is none."""
    try:
        return None if b"\0" in data else data.decode().split("\n")
    except UnicodeDecodeError:
        return None


def _first_lines(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    count = 0
    for number in range(max(len(ours), len(theirs))):
        one, other = (each[number] if number < len(each) else None for each in (ours, theirs))
        if one == other:
            continue
        if count == _LINES:
            yield "  and more lines"
            return
        count += 1
        yield f"  line {number + 1} is {_shown(one, other)} in the first build"
        yield f"  line {number + 1} is {_shown(other, one)} in the second"


def _shown(line: str | None, other: str | None) -> str:
    """A line from a little before the place where it differs from the other one."""
    if line is None:
        return "missing"
    at = _first_difference(line, other or "")
    start = max(0, at - _LINE // 2)
    return ("…" if start else "") + repr(clean(line[start:], _LINE))


def _around(first: Path, second: Path, ours: Mapping[str, _Member], theirs: Mapping[str, _Member]) -> str:
    """Say what differs if no member does: their order, or how the archive is packed."""
    names, others = list(ours), list(theirs)
    if names != others:
        at = _first_difference(names, others)
        return (
            f"the same members in another order: number {at + 1} is {clean(names[at])} in the first build,"
            f" {clean(others[at])} in the second"
        )
    sizes = f"{first.stat().st_size:,} and {second.stat().st_size:,} bytes"
    return f"the same members, but the archive around them differs ({sizes}): its compression, or its header"


@contextmanager
def _open(path: Path) -> Iterator[tuple[Mapping[str, _Member], _Read]]:
    """The members of an archive, in its order, and how to read one."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            yield dict(_members_of_wheel(wheel)), wheel.read
        return
    with tarfile.open(path, "r:gz", tarinfo=BoundedHeader) as sdist:

        def read(name: str) -> bytes:
            stream = sdist.extractfile(name)
            return stream.read(_TEXT_LIMIT + 1) if stream is not None else b""

        yield dict(_members_of_sdist(sdist)), read


def _members_of_wheel(wheel: zipfile.ZipFile) -> Iterator[tuple[str, _Member]]:
    left = _TOTAL_LIMIT
    for info in wheel.infolist()[:COUNT_LIMIT]:
        left -= info.file_size
        with wheel.open(info) as stream:
            digest = _digest_of(stream) if left > 0 else f"crc {info.CRC}"
        mode = info.external_attr >> 16
        yield (
            info.filename,
            _Member(
                name=info.filename,
                kind="a link" if stat.S_ISLNK(mode) else "a folder" if info.is_dir() else "a file",
                mode=stat.S_IMODE(mode),
                time="{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*info.date_time),
                owner="",
                size=info.file_size,
                sha256=digest,
                packing=f"compression method {info.compress_type}, flags {info.flag_bits}, system {info.create_system}",
            ),
        )


def _members_of_sdist(sdist: tarfile.TarFile) -> Iterator[tuple[str, _Member]]:
    left = _TOTAL_LIMIT
    for count, info in enumerate(sdist):
        if count >= COUNT_LIMIT:
            return
        left -= info.size
        stream = sdist.extractfile(info) if info.isreg() and left > 0 else None
        yield (
            info.name,
            _Member(
                name=info.name,
                kind=_kind(info),
                mode=stat.S_IMODE(info.mode),
                time=_at(info.mtime),
                owner=f"{info.uname or info.uid}:{info.gname or info.gid}",
                size=info.size,
                sha256=_digest_of(stream) if stream is not None else info.linkname,
            ),
        )


def _at(seconds: float) -> str:
    """A time, also before 1970: ``datetime.fromtimestamp`` refuses those on Windows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(" ")


def _kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "a link"
    return "a folder" if info.isdir() else "a file"
