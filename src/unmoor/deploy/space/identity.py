"""What a file is, by its bytes: the ids that a hub has for it, as git and git-lfs compute them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from unmoor.filesystem.safe_folder import open_regular
from unmoor.ports.space_hub import HubFile
from unmoor.products import SpaceFile

_PIECE = 1 << 20


def is_same(file: SpaceFile, there: HubFile | None) -> bool:
    """Whether the hub has these bytes. A hub that has them in LFS has the sha256 of them, not the blob."""
    if there is None or there.size != file.size:
        return False
    return there.sha256 == file.sha256 if there.sha256 else there.blob == file.blob


def describe(path: str, source: Path) -> SpaceFile:
    """Hash a file of this machine, which must be a regular one. Raises `Refused`, `OSError`."""
    with open_regular(source) as stream:
        size = source.stat().st_size
        blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        sha256 = hashlib.sha256()
        while piece := stream.read(_PIECE):
            blob.update(piece)
            sha256.update(piece)
    return SpaceFile(path=path, size=size, blob=blob.hexdigest(), sha256=sha256.hexdigest(), source=source)


def digest_of(files: Iterable[SpaceFile]) -> str:
    """One sha256 over the paths and bytes of files, whatever their order.

    >>> from pathlib import Path
    >>> a, b = (SpaceFile(path=path, size=1, blob="", sha256=path * 64, source=Path()) for path in "ab")
    >>> digest_of([a, b]) == digest_of([b, a]) != digest_of([a])
    True
    """
    lines = sorted(f"{each.sha256}  {each.path}\n" for each in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
