"""Write an sdist again so that the same files always give the same bytes.

Backends write the order in which the disk lists files, the time of the build, the user's name and the umask into an
sdist, so a second build of a commit differs from the first. Here members are sorted by name, get one time, no
owner and the mode 0644 or 0755, and the archive is a plain ustar archive with pax headers for long and non-ASCII
names only (PEP 517 requires pax), in gzip with one time and no name. Member contents, the executable bit, links and
folders stay. Compressed bytes are the same for the same release of zlib.

An sdist that `check-dists` would refuse is left as it is, so that the refusal names what the backend wrote. So is one
in which the order of members matters when it is unpacked.

``tarfile`` does this because no library does: repro-tarfile packs files from a disk, in the order in which they are
given and without their executable bits; setuptools-reproducible is a backend that a project must choose; reproducibly
is a program without an interface for others.
"""

from __future__ import annotations

import gzip
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from unmoor.dists.checks import tars
from unmoor.dists.checks.archives import CHUNK, Limits
from unmoor.dists.checks.rules import Problem
from unmoor.filesystem.files import atomic_writer
from unmoor.util.text import clean
from unmoor.util.values import replace

# gzip's own default. The best level takes two to three times as long, to save one or two percent.
_LEVEL = 6
_LATEST = 0xFFFF_FFFF
"""The largest time that a gzip header can hold."""
_IN_MEMORY = 32 << 20


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member. ``target`` is the text of a symbolic link, or the name of the file that a hard link shares."""

    name: str
    kind: bytes
    executable: bool
    size: int
    start: int
    target: str = ""

    @property
    def plain(self) -> str:
        return posixpath.normpath(self.name)

    @property
    def order(self) -> tuple[bool, bytes]:
        """Hard links come after the files that they name, because tar reads an archive from its beginning."""
        return self.kind == tarfile.LNKTYPE, self.name.encode()


def normalize(
    sdist: Path, date: int, limits: Limits | None = None, *, executables: Collection[str] | None = None
) -> str:
    """Write an sdist again in place, with all times set to ``date`` (seconds since 1970).

    ``executables`` are the paths of the files that are executable, below the sdist's only folder; by default those
    that the backend wrote so. Returns an empty text or, if the file was left as it is, the reason. Needs space for the
    unpacked sdist beside it. Members are streamed, so only their names are in memory.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(sdist.parent)) as unpacked:
        # Closed before it is written again: Windows replaces no file that is open.
        with sdist.open("rb") as packed:
            problems: list[Problem] = []
            tars.read(packed, sdist.stat().st_size, problems, limits or Limits())
            if problems:
                return problems[0].what
            packed.seek(0)
            with gzip.GzipFile(fileobj=packed) as stream:
                shutil.copyfileobj(stream, unpacked, CHUNK)
        unpacked.seek(0)
        members = list(_members(unpacked))
        if executables is not None:
            members = [_as_recorded(member, executables) for member in members]
        if fault := next(_faults(members), ""):
            return fault
        _write(_resolved(members), unpacked, sdist, max(0, min(date, _LATEST)))
    return ""


def _members(unpacked: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=unpacked, mode="r:") as archive:
        while (member := archive.next()) is not None:
            # tarfile keeps every member in memory unless this list is emptied.
            archive.members.clear()  # type: ignore[attr-defined]  # missing from the stub
            yield _Member(
                name=member.name,
                # Contiguous files are files, and the oldest archives write a file as NUL.
                kind=tarfile.REGTYPE if member.isreg() else member.type,
                executable=bool(member.mode & 0o111),
                size=member.size if member.isreg() else 0,
                start=member.offset_data,
                target=member.linkname if member.issym() or member.islnk() else "",
            )


def _as_recorded(member: _Member, executables: Collection[str]) -> _Member:
    """Make a file executable, or not; a hard link is as the file that it names."""
    name = member.target if member.kind == tarfile.LNKTYPE else member.name
    return replace(member, executable=posixpath.normpath(name).partition("/")[2] in executables)


def _faults(members: Sequence[_Member]) -> Iterator[str]:
    """Find what another order, or another way to write a name, could change when the sdist is unpacked."""
    known: dict[str, _Member] = {}
    for member in members:
        name = clean(member.name)
        if not (_is_text(member.name) and _is_text(member.target)):
            yield f"{name} is not named in UTF-8"
        twin = known.get(member.plain)
        if twin is not None and not (twin.kind == member.kind == tarfile.DIRTYPE):
            yield f"{name} occurs more than once"
        if member.kind == tarfile.LNKTYPE:
            file = known.get(posixpath.normpath(member.target))
            if file is None or file.kind not in {tarfile.REGTYPE, tarfile.LNKTYPE}:
                yield f"{name} is a hard link to {clean(member.target)}, which is no file before it"
            elif file.executable != member.executable:
                yield f"{name} is a hard link, and is executable unlike its file"
        known[member.plain] = member
    links = {member.plain for member in members if member.kind == tarfile.SYMTYPE}
    for member in members:
        parents = _parents(member.plain)
        if any(parent in known and known[parent].kind != tarfile.DIRTYPE for parent in parents):
            yield f"{clean(member.name)} is below something that is no folder"
        if member.plain in links and not links.isdisjoint(_passed(member)):
            yield f"{clean(member.name)} leads through another link"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


def _passed(link: _Member) -> Iterator[str]:
    """The folders through which a symbolic link leads, before its last component."""
    here = posixpath.dirname(link.plain)
    for part in link.target.split("/"):
        yield here
        here = posixpath.normpath(posixpath.join(here, part))


def _resolved(members: Sequence[_Member]) -> list[_Member]:
    """Sort the members, and let each hard link name the file itself, not another link to it."""
    files = {member.plain: member.name for member in members if member.kind == tarfile.REGTYPE}
    found = []
    for member in members:
        if member.kind == tarfile.LNKTYPE:
            files[member.plain] = files[posixpath.normpath(member.target)]
            found.append(replace(member, target=files[member.plain]))
        else:
            found.append(member)
    return sorted(found, key=lambda member: member.order)


def _write(members: Sequence[_Member], unpacked: IO[bytes], sdist: Path, date: int) -> None:
    with (
        atomic_writer(sdist, sync=False) as stream,
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=date) as packing,
        tarfile.open(fileobj=packing, mode="w:", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.type, info.size, info.linkname, info.mtime = member.kind, member.size, member.target, date
            info.mode = 0o777 if info.issym() else 0o755 if info.isdir() or member.executable else 0o644
            unpacked.seek(member.start)
            archive.addfile(info, unpacked if member.kind == tarfile.REGTYPE else None)
            archive.members.clear()  # type: ignore[attr-defined]  # see above
