"""Which members of an sdist may be unpacked, and which can be on this machine."""

from __future__ import annotations

import os.path
import posixpath
import tarfile
from pathlib import Path

from unmoor import advice
from unmoor.errors import InvalidDist
from unmoor.filesystem.names import local_fault
from unmoor.util.text import clean


def leads_out(member: tarfile.TarInfo) -> bool:
    """Whether a member of an sdist is a link to a place outside of its top-level folder.

    Symbolic links are relative to their folder, hard links to the top of the archive.
    """
    if not (member.issym() or member.islnk()):
        return False
    plain = posixpath.normpath(member.name)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(plain) if member.issym() else "", member.linkname))
    return member.linkname.startswith("/") or target.partition("/")[0] != plain.partition("/")[0]


def require_place(sdist: str, member: tarfile.TarInfo, into: Path, unpacked: set[str]) -> None:
    """Raise `InvalidDist` if a member cannot be unpacked beside the others on this machine, and add it to them.

    Windows would write ``a:b`` into a hidden stream of ``a``, and where case says nothing ``A`` would replace ``a``.
    """
    name = posixpath.normpath(member.name)
    fault = local_fault(name)
    if not fault and not member.isdir() and name not in unpacked and os.path.lexists(into / name):
        fault = "is that of another member on this file system, which ignores case or normalization"
    if fault:
        raise InvalidDist(
            f"{sdist} cannot be unpacked on this machine: the name {clean(name)} {fault}",
            next_step=advice.RENAME_IN_SDIST(),
        )
    unpacked.add(name)
