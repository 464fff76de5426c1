"""What tar and ZIP archives can raise when a header lies, and tar headers that are read within limits.

``tarfile`` trusts the sizes in headers: it reads a long name or a pax header of any size into memory, and follows a
negative size backwards. Its documented error is ``TarError``, but a header can make it raise nearly anything else.
"""

from __future__ import annotations

import errno
import struct
import tarfile
import zipfile
import zlib
from typing import Self

MALFORMED: tuple[type[Exception], ...] = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    ArithmeticError,  # a size that no offset can hold
    LookupError,
    TypeError,
    RuntimeError,  # an encrypted member; a chain of headers that is too long for the stack
    MemoryError,
    OSError,  # gzip's own; see `is_malformed`
)
"""The errors of a malformed archive."""

_OF_BYTES = (None, errno.EINVAL, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
# The longest long name or pax header that is read, in bytes.
_HEADER_LIMIT = 1 << 20
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def is_malformed(error: Exception) -> bool:
    """Whether one of `MALFORMED` comes from the bytes of an archive, not from the disk.

    gzip's ``OSError`` has no errno; an offset before the first byte is an invalid argument; the others mean that a
    name cannot be unpacked, whatever the disk.
    """
    return not isinstance(error, OSError) or error.errno in _OF_BYTES


class BoundedHeader(tarfile.TarInfo):
    """A tar header. Raises ``tarfile.ReadError`` if its size is negative, or if it announces too long a header."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header of 512 bytes."""
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0:
            raise tarfile.ReadError(f"a member of {found.size} bytes")
        if found.type in _HEADERS and found.size > _HEADER_LIMIT:
            raise tarfile.ReadError(f"a header of {found.size} bytes")
        return found


def require_size(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member. Raises ``tarfile.ReadError`` if a pax header gave it a negative size."""
    if member.size < 0:
        raise tarfile.ReadError(f"{member.name} has {member.size} bytes")
    return member
