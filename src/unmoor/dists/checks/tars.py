"""An sdist as a gzipped tar archive: one folder, nothing that leads out of it, read to the last byte.

``tarfile`` ends quietly at a header that it cannot read, and never looks at what follows the end:
here both are refused. gzip's checksum covers every byte, and is compared once all of it was read.
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

UNREADABLE = CheckRule(name="tar-unreadable", refuses="an sdist that is no gzipped tar archive, or a damaged one")
BOTH = CheckRule(name="tar-or-zip", refuses="an sdist that can be read as a ZIP archive too")
TRAILING = CheckRule(name="tar-trailing", refuses="bytes after the end of the archive", by=By.UNMOOR)
TOP = CheckRule(name="tar-top", refuses="an sdist that does not hold one folder")
TOP_NAME = CheckRule(name="tar-top-name", refuses="a folder that is not called NAME-VERSION", by=By.UNMOOR)
PKG_INFO = CheckRule(name="tar-pkg-info", refuses="an sdist without PKG-INFO in its folder")
PATH = CheckRule(name="tar-path", refuses="names that are absolute or lead out", by=By.INSTALLERS)
LINK = CheckRule(name="tar-link", refuses="links that lead out, and members below a link", by=By.INSTALLERS)
DEVICE = CheckRule(name="tar-device", refuses="devices and pipes", by=By.INSTALLERS)
SPARSE = CheckRule(name="tar-sparse", refuses="sparse members")
DUPLICATE = CheckRule(name="tar-duplicate", refuses="two files of one name", by=By.UNMOOR)
RULES = (UNREADABLE, BOTH, TRAILING, TOP, TOP_NAME, PKG_INFO, PATH, LINK, DEVICE, SPARSE, DUPLICATE)

# Long names and pax headers: tarfile reads them into memory whole, so they may have this many bytes.
_HEADER_LIMIT = 1 << 20
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Strict(tarfile.TarInfo):
    """A header that cannot be read ends the reading with an error, wherever it stands."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Strict:
        """Read a header of 512 bytes. Raises ``tarfile.ReadError`` where it is damaged or announces too much."""
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
    """What an sdist holds: its folder, the names of its members, and its PKG-INFO."""

    top: str = ""
    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    pkg_info: bytes | None = None
    infos: dict[str, bytes] = field(default_factory=dict)
    unpacked: int = 0


def read(packed: IO[bytes], length: int, problems: list[Problem], limits: Limits) -> Sdist:
    """Read an sdist of ``length`` bytes to its last; what is wrong with it is added to ``problems``."""
    found = Sdist()
    if zipfile.is_zipfile(packed):
        problems.append(violation(BOTH, "it can be read as a ZIP archive too"))
    packed.seek(0)
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            _walk(stream, found, length, problems, limits)
    except (tarfile.TarError, zlib.error, EOFError, ValueError, gzip.BadGzipFile) as error:
        problems.append(violation(UNREADABLE, f"it is not an sdist that can be read: {error}"))
        return found
    problems.extend(_check_top(found))
    return found


def _walk(stream: gzip.GzipFile, found: Sdist, packed: int, problems: list[Problem], limits: Limits) -> None:
    """Look at every member, and at what follows the last one."""
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Strict) as archive:
        while (member := archive.next()) is not None:
            # tarfile keeps every member it has seen.
            archive.members.clear()  # type: ignore[attr-defined]  # the one place where they are kept
            found.unpacked += member.size
            excess = list(check_expansion(found.unpacked, packed, limits))
            if len(found.names) >= COUNT_LIMIT:
                excess.append(violation(MEMBERS, f"it holds more than {COUNT_LIMIT} members"))
            if excess:
                problems.extend(excess)
                return
            problems.extend(_check_member(member, found))
            _check_content(archive, member, found, problems)
    problems.extend(_check_rest(stream, packed, limits))


def _check_member(member: tarfile.TarInfo, found: Sdist) -> Iterator[Problem]:
    """Judge one member."""
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
        yield violation(LINK, f"{name} lies below a link")
    if member.issym() or member.islnk():
        yield from _check_link(member, plain)
    if plain in found.names and not member.isdir():
        yield violation(DUPLICATE, f"{name} is there more than once")
    found.names.add(name)
    if member.issym():
        found.links.add(plain)


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name.rstrip("/")):
        if name in {"/", "."}:
            return
        yield name


def _check_link(member: tarfile.TarInfo, plain: str) -> Iterator[Problem]:
    """Judge where a link leads: a symbolic one from its own folder, a hard one from the top of the archive."""
    base = posixpath.dirname(plain) if member.issym() else ""
    target = posixpath.normpath(posixpath.join(base, member.linkname))
    top = plain.partition("/")[0]
    if member.linkname.startswith("/") or target.partition("/")[0] != top:
        yield violation(LINK, f"{member.name} links to {member.linkname}")


def _check_content(archive: tarfile.TarFile, member: tarfile.TarInfo, found: Sdist, problems: list[Problem]) -> None:
    """Look into what has to be read: PKG-INFO, which may come before its folder's name is known, and source."""
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
    """Read what follows the end of the archive: zeros, which fill its last block."""
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
    """Judge the one folder, as PyPI and twine find it: what all names have in common."""
    try:
        top = posixpath.commonpath(found.names) if found.names else ""
    except ValueError:
        top = ""
    if top in {"", ".", "/"}:
        tops = sorted({name.split("/")[0] for name in found.names})[:3]
        yield violation(TOP, f"it holds no single folder: {', '.join(tops) or 'nothing'}")
        return
    if "/" in top:
        yield violation(TOP, f"all that it holds lies in {top}, not in one folder at the top")
        return
    found.top = top
    if f"{top}/PKG-INFO" not in found.names:
        yield violation(PKG_INFO, f"there is no {top}/PKG-INFO in it")
        return
    found.pkg_info = found.infos.get(top)
    if found.pkg_info is None:
        yield violation(PKG_INFO, f"{top}/PKG-INFO is no plain file")
