"""Check an sdist as a gzipped tar archive: one folder, no path that leads out of it, read to the last byte.

``tarfile`` stops silently at a header that it cannot read, and ignores what follows the end. Both are
refused here. gzip's checksum covers every byte, and gzip verifies it at the end of the data.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Self

from unmoor.dists.checks.archives import (
    CHUNK,
    COUNT_LIMIT,
    LONG,
    MEMBER_LIMIT,
    MEMBERS,
    SDIST_BOMB,
    Limits,
    check_encryption,
    check_expansion,
    is_source,
    path_fault,
)
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.malformed import MALFORMED, BoundedHeader, is_malformed, require_size
from unmoor.dists.unpacking import leads_out

UNREADABLE = CheckRule(name="tar-unreadable", refuses="an sdist that tarfile cannot read as a gzipped tar archive")
DAMAGED = CheckRule(
    name="tar-damaged",
    refuses="an sdist in which tarfile stops silently: a damaged header, a header of more than 1 MiB, a wrong checksum",
    by=By.UNMOOR,
)
BOTH = CheckRule(name="tar-or-zip", refuses="an sdist that can also be read as a ZIP archive")
TRAILING = CheckRule(name="tar-trailing", refuses="bytes after the end of the archive", by=By.UNMOOR)
TOP = CheckRule(name="tar-top", refuses="an sdist whose members have no folder in common")
NESTED = CheckRule(
    name="tar-top-nested", refuses="an sdist whose common folder is inside another, or absolute", by=By.INSTALLERS
)
TOP_NAME = CheckRule(name="tar-top-name", refuses="a top-level folder not called NAME-VERSION", by=By.UNMOOR)
PKG_INFO = CheckRule(name="tar-pkg-info", refuses="an sdist without PKG-INFO in its top-level folder")
NO_FILE = CheckRule(name="tar-pkg-info-file", refuses="a PKG-INFO that is not a regular file", by=By.UPLOADER)
PATH = CheckRule(
    name="tar-path",
    refuses="names that are absolute, begin with a drive, lead out, are too long or are unprintable",
    by=By.INSTALLERS,
)
LINK = CheckRule(name="tar-link", refuses="links that lead out, and members below a link", by=By.INSTALLERS)
DEVICE = CheckRule(name="tar-device", refuses="devices and pipes", by=By.INSTALLERS)
SPARSE = CheckRule(name="tar-sparse", refuses="sparse members")
DUPLICATE = CheckRule(name="tar-duplicate", refuses="two files with the same name", by=By.UNMOOR)
RULES = (
    UNREADABLE, DAMAGED, BOTH, TRAILING, TOP, NESTED, TOP_NAME, PKG_INFO, NO_FILE, PATH, LINK, DEVICE, SPARSE,
    DUPLICATE,
)  # fmt: skip

# Common paths that are no folder.
_NO_TOP = ("", ".", "/")
# How much of a damaged archive is unpacked to see whose fault it is, in bytes.
_DAMAGED_LIMIT = 64 << 20


class _Strict(BoundedHeader):
    """A tar header that raises an error if it is damaged, wherever it is in the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header of 512 bytes. Raises ``tarfile.ReadError`` if it is damaged or declares too long a header."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not buf or not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error


@dataclass(kw_only=True)
class Sdist:
    """The contents of an sdist: its top-level folder, its member names, its symbolic links, and its PKG-INFO.

    ``links`` are normalized names with what each leads to, normalized from the top of the archive.
    """

    top: str = ""
    names: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    pkg_info: bytes | None = None
    infos: dict[str, bytes] = field(default_factory=dict)
    unpacked: int = 0


def read(packed: IO[bytes], length: int, problems: list[Problem], limits: Limits) -> Sdist:
    """Read a whole sdist of ``length`` bytes and add what is wrong with it to ``problems``."""
    found = Sdist()
    if zipfile.is_zipfile(packed):
        problems.append(violation(BOTH, "it can also be read as a ZIP archive"))
    packed.seek(0)
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            is_whole = _walk(stream, found, length, problems, limits)
    except MALFORMED as error:
        if not is_malformed(error):
            raise
        rule = UNREADABLE if _is_refused(packed) else DAMAGED
        problems.append(violation(rule, f"it is not a readable sdist: {error}"))
        return found
    if is_whole:
        problems.extend(_check_top(found))
    return found


class _TooLong(ValueError):
    """A damaged archive asks for more bytes than are unpacked to see whose fault it is."""


class _Bounded(gzip.GzipFile):
    """A gzip file that unpacks a limited number of bytes. Raises `_TooLong` beyond it."""

    def read(self, size: int | None = -1) -> bytes:
        """Read ``size`` bytes."""
        if size is None or not 0 <= size <= _DAMAGED_LIMIT:
            raise _TooLong
        return super().read(size)

    def seek(self, offset: int, *origin: int) -> int:
        """Move to ``offset``."""
        if offset > _DAMAGED_LIMIT:
            raise _TooLong
        return super().seek(offset, *origin)


def _is_refused(packed: IO[bytes]) -> bool:
    """Whether PyPI refuses a damaged sdist. It reads it with ``tarfile``, which overlooks some damage."""
    packed.seek(0)
    stream = _Bounded(fileobj=packed)
    try:
        archive = tarfile.open(fileobj=stream, mode="r:")  # noqa: SIM115 - nothing to close but what the caller opened
    except (tarfile.ReadError, EOFError, zlib.error, gzip.BadGzipFile):
        return True
    except MALFORMED:
        return False
    try:
        names = archive.getnames()
        top = posixpath.commonpath(names) if names else ""
        for member in archive.getmembers():
            if member.isfile() and is_source(member.name, member.size) and (content := archive.extractfile(member)):
                content.read(member.size)
    except (tarfile.ReadError, EOFError, zlib.error):
        return True
    except MALFORMED:
        return False  # PyPI answers with an internal error
    has_sparse = any(member.issparse() for member in archive.getmembers())
    return has_sparse or top in _NO_TOP or posixpath.join(top, "PKG-INFO") not in names


def _walk(stream: gzip.GzipFile, found: Sdist, packed: int, problems: list[Problem], limits: Limits) -> bool:
    """Check every member, and what follows the last one. Returns whether all of it was within the limits."""
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Strict) as archive:
        while (member := archive.next()) is not None:
            require_size(member)
            # tarfile keeps every member in memory unless this list is emptied.
            archive.members.clear()  # type: ignore[attr-defined]  # missing from the stub
            found.unpacked += member.size
            excess = list(check_expansion(found.unpacked, packed, limits, SDIST_BOMB))
            if len(found.names) >= COUNT_LIMIT:
                excess.append(violation(MEMBERS, f"it contains more than {COUNT_LIMIT} members"))
            if excess:
                problems.extend(excess)
                return False
            problems.extend(_check_member(member, found))
            _check_content(archive, member, found, problems)
    problems.extend(_check_rest(stream, packed, limits))
    return True


def _check_member(member: tarfile.TarInfo, found: Sdist) -> Iterator[Problem]:
    """Check the name and type of one member."""
    name = member.name
    fault = path_fault(name.removeprefix("./"))
    if fault and name != ".":
        yield violation(PATH, f"the name {name} {fault}")
    if member.issparse():
        yield violation(SPARSE, f"{name} is sparse")
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        yield violation(DEVICE, f"{name} is a device or a pipe")
    plain = posixpath.normpath(name)
    if any(parent in found.links for parent in _parents(plain)):
        yield violation(LINK, f"{name} is below a link")
    if leads_out(member):
        yield violation(LINK, f"{name} links to {member.linkname}")
    if plain in found.names and not member.isdir():
        yield violation(DUPLICATE, f"{name} occurs more than once")
    found.names.add(name)
    if member.issym():
        found.links[plain] = posixpath.normpath(posixpath.join(posixpath.dirname(plain), member.linkname))


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name.rstrip("/")):
        if name in {"/", "."}:
            return
        yield name


def _check_content(archive: tarfile.TarFile, member: tarfile.TarInfo, found: Sdist, problems: list[Problem]) -> None:
    """Read PKG-INFO files and check source. Which PKG-INFO counts is only known once the top-level folder is."""
    folder, _, rest = member.name.partition("/")
    is_info = rest == "PKG-INFO"
    if not member.isreg() or member.issparse() or not (is_info or is_source(member.name, member.size)):
        return
    if member.size > MEMBER_LIMIT:
        problems.append(violation(LONG, f"{member.name} is longer than {MEMBER_LIMIT} bytes"))
        return
    stream = archive.extractfile(member)
    data = stream.read() if stream else b""
    if is_info:
        found.infos[folder] = data
    problems.extend(check_encryption(member.name, data) if is_source(member.name, member.size) else ())


def _check_rest(stream: gzip.GzipFile, packed: int, limits: Limits) -> Iterator[Problem]:
    """Check that only zeros, which pad the last block, follow the end of the archive."""
    total = 0
    while piece := stream.read(CHUNK):
        total += len(piece)
        if piece.count(0) != len(piece):
            yield violation(TRAILING, "bytes follow the end of the archive")
            return
        if excess := list(check_expansion(total, packed, limits, SDIST_BOMB)):
            yield from excess
            return


def _check_top(found: Sdist) -> Iterator[Problem]:
    """Find the top-level folder as PyPI and twine do: the common path of all names."""
    try:
        top = posixpath.commonpath(found.names) if found.names else ""
    except ValueError:
        return  # some of the names are absolute, which is reported for each
    if top in _NO_TOP:
        tops = sorted({name.split("/")[0] for name in found.names})[:3]
        yield violation(TOP, f"it does not contain exactly one top-level folder: {', '.join(tops) or 'it is empty'}")
        return
    if f"{top}/PKG-INFO" not in found.names:
        yield violation(PKG_INFO, f"{top}/PKG-INFO is missing")
    if "/" in top:
        yield violation(NESTED, f"all of its members are in {top}, not in a top-level folder")
        return
    found.top = top
    found.pkg_info = found.infos.get(top)
    if found.pkg_info is None and f"{top}/PKG-INFO" in found.names:
        yield violation(NO_FILE, f"{top}/PKG-INFO is not a regular file")
