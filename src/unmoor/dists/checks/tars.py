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
from typing import IO

from unmoor.dists.checks.archives import (
    CHUNK,
    COUNT_LIMIT,
    MEMBER_LIMIT,
    MEMBERS,
    Limits,
    check_encryption,
    check_expansion,
    is_source,
    path_fault,
)
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

UNREADABLE = CheckRule(name="tar-unreadable", refuses="an sdist that is not a gzipped tar archive, or is damaged")
BOTH = CheckRule(name="tar-or-zip", refuses="an sdist that can also be read as a ZIP archive")
TRAILING = CheckRule(name="tar-trailing", refuses="bytes after the end of the archive", by=By.UNMOOR)
TOP = CheckRule(name="tar-top", refuses="an sdist without exactly one top-level folder")
TOP_NAME = CheckRule(name="tar-top-name", refuses="a top-level folder not called NAME-VERSION", by=By.UNMOOR)
PKG_INFO = CheckRule(name="tar-pkg-info", refuses="an sdist without PKG-INFO in its top-level folder")
PATH = CheckRule(
    name="tar-path",
    refuses="names that are absolute, begin with a drive, lead out or are unprintable",
    by=By.INSTALLERS,
)
LINK = CheckRule(name="tar-link", refuses="links that lead out, and members below a link", by=By.INSTALLERS)
DEVICE = CheckRule(name="tar-device", refuses="devices and pipes", by=By.INSTALLERS)
SPARSE = CheckRule(name="tar-sparse", refuses="sparse members")
DUPLICATE = CheckRule(name="tar-duplicate", refuses="two files with the same name", by=By.UNMOOR)
RULES = (UNREADABLE, BOTH, TRAILING, TOP, TOP_NAME, PKG_INFO, PATH, LINK, DEVICE, SPARSE, DUPLICATE)

# tarfile reads long names and pax headers into memory, so this limits their size, in bytes.
_HEADER_LIMIT = 1 << 20
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Strict(tarfile.TarInfo):
    """A tar header that raises an error if it is damaged, wherever it is in the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Strict:
        """Read a header of 512 bytes. Raises ``tarfile.ReadError`` if it is damaged or declares too long a header."""
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not buf or not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error
        if found.type in _HEADERS and found.size > _HEADER_LIMIT:
            raise tarfile.ReadError(f"a header of {found.size} bytes")
        return found


@dataclass(kw_only=True)
class Sdist:
    """The contents of an sdist: its top-level folder, its member names, and its PKG-INFO."""

    top: str = ""
    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
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
            _walk(stream, found, length, problems, limits)
    except (tarfile.TarError, zlib.error, EOFError, ValueError, gzip.BadGzipFile) as error:
        problems.append(violation(UNREADABLE, f"it is not a readable sdist: {error}"))
        return found
    problems.extend(_check_top(found))
    return found


def _walk(stream: gzip.GzipFile, found: Sdist, packed: int, problems: list[Problem], limits: Limits) -> None:
    """Check every member, and what follows the last one."""
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Strict) as archive:
        while (member := archive.next()) is not None:
            # tarfile keeps every member in memory unless this list is emptied.
            archive.members.clear()  # type: ignore[attr-defined]  # missing from the stub
            found.unpacked += member.size
            excess = list(check_expansion(found.unpacked, packed, limits))
            if len(found.names) >= COUNT_LIMIT:
                excess.append(violation(MEMBERS, f"it contains more than {COUNT_LIMIT} members"))
            if excess:
                problems.extend(excess)
                return
            problems.extend(_check_member(member, found))
            _check_content(archive, member, found, problems)
    problems.extend(_check_rest(stream, packed, limits))


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
    if member.issym() or member.islnk():
        yield from _check_link(member, plain)
    if plain in found.names and not member.isdir():
        yield violation(DUPLICATE, f"{name} occurs more than once")
    found.names.add(name)
    if member.issym():
        found.links.add(plain)


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name.rstrip("/")):
        if name in {"/", "."}:
            return
        yield name


def _check_link(member: tarfile.TarInfo, plain: str) -> Iterator[Problem]:
    """Check a link's target. Symbolic links are relative to their folder, hard links to the top of the archive."""
    base = posixpath.dirname(plain) if member.issym() else ""
    target = posixpath.normpath(posixpath.join(base, member.linkname))
    top = plain.partition("/")[0]
    if member.linkname.startswith("/") or target.partition("/")[0] != top:
        yield violation(LINK, f"{member.name} links to {member.linkname}")


def _check_content(archive: tarfile.TarFile, member: tarfile.TarInfo, found: Sdist, problems: list[Problem]) -> None:
    """Read PKG-INFO files and check source. Which PKG-INFO counts is only known once the top-level folder is."""
    folder, _, rest = member.name.partition("/")
    is_info = rest == "PKG-INFO"
    if not member.isreg() or member.issparse() or not (is_info or is_source(member.name, member.size)):
        return
    if member.size > MEMBER_LIMIT:
        problems.append(violation(PKG_INFO, f"{member.name} is longer than {MEMBER_LIMIT} bytes"))
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
        if excess := list(check_expansion(total, packed, limits)):
            yield from excess
            return


def _check_top(found: Sdist) -> Iterator[Problem]:
    """Find the top-level folder as PyPI and twine do: the common path of all names."""
    try:
        top = posixpath.commonpath(found.names) if found.names else ""
    except ValueError:
        top = ""
    if top in {"", ".", "/"}:
        tops = sorted({name.split("/")[0] for name in found.names})[:3]
        yield violation(TOP, f"it does not contain exactly one top-level folder: {', '.join(tops) or 'it is empty'}")
        return
    if "/" in top:
        yield violation(TOP, f"all of its members are in {top}, not in a top-level folder")
        return
    found.top = top
    if f"{top}/PKG-INFO" not in found.names:
        yield violation(PKG_INFO, f"{top}/PKG-INFO is missing")
        return
    found.pkg_info = found.infos.get(top)
    if found.pkg_info is None:
        yield violation(PKG_INFO, f"{top}/PKG-INFO is not a regular file")
