"""Open a built file only if its bytes are the recorded ones, so that the checks read what was hashed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import IO

from unmoor.dists.checks.archives import CHUNK
from unmoor.dists.checks.rules import By, CheckRule
from unmoor.products import File

CHANGED = CheckRule(name="file-changed", refuses="a file whose bytes changed since it was built", by=By.UNMOOR)
RULES = (CHANGED,)


@contextlib.contextmanager
def open_unchanged(file: File) -> Iterator[IO[bytes] | None]:
    """Open a file. Yields ``None`` if it is gone, or if its size or hash differs from the recorded one."""
    try:
        stream = file.path.open("rb")
    except OSError:
        yield None
        return
    with stream:
        same = os.fstat(stream.fileno()).st_size == file.size and _sha256(stream) == file.sha256
        yield stream if same else None


def _sha256(stream: IO[bytes]) -> str:
    """Hash a whole file through one small buffer: a large one costs more in page faults than it saves in calls."""
    digest, buffer = hashlib.sha256(), bytearray(CHUNK)
    view = memoryview(buffer)
    while count := stream.readinto(buffer):  # type: ignore[attr-defined]  # a file on disk has it
        digest.update(view[:count])
    return digest.hexdigest()
