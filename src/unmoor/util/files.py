"""Files on this machine: hashes, names that may become paths, and writes that are whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}")


def is_safe_name(name: str) -> bool:
    """Whether a name from outside may become a file name: one component, plain letters, no leading dot."""
    return _SAFE.fullmatch(name) is not None


def sha256_of(path: Path) -> str:
    """Hash a file in pieces; lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_regular(path: Path, limit: int) -> bytes:
    """Read a file that may come from elsewhere: its beginning, where it has more than ``limit`` bytes.

    Raises ``FileNotFoundError``, also for what is no regular file: a pipe would be waited for.
    """
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as stream:
        return stream.read(limit + 1)


@contextmanager
def atomic_writer(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Write aside, fsync, rename at the end of the block: a reader sees the old bytes or the new ones, never a part.

    Where the block raises, nothing is renamed and nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a whole file, or nothing; see `atomic_writer`."""
    with atomic_writer(path, mode=mode) as stream:
        stream.write(data)
