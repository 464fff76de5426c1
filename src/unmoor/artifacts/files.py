"""Built files as products: hashed, checked, and listed with their checksums."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from unmoor import advice
from unmoor.errors import InvalidDist
from unmoor.filesystem.files import atomic_writer, is_safe_name, read_regular, sha256_of
from unmoor.filesystem.safe_folder import open_regular
from unmoor.ports.signer import MAX_BUNDLE, SUFFIX, Bundle
from unmoor.products import File
from unmoor.util.text import clean

SIGNATURES = "signatures"
"""The folder of the signatures in a run folder."""


def describe_file(path: Path) -> File:
    """Hash and measure an existing file."""
    return File(name=path.name, sha256=sha256_of(path), size=path.stat().st_size, path=path)


def copy_into(built: Path, folder: Path) -> File:
    """Copy a built file into a folder, flush it to disk, and describe the copy. Raises `InvalidDist` for its name."""
    if not is_safe_name(built.name):
        raise InvalidDist(f"{clean(built.name)!r} is not a valid file name", next_step=advice.CORRECT_BACKEND())
    place = folder / built.name
    with open_regular(built) as source, atomic_writer(place) as copy:
        shutil.copyfileobj(source, copy)
    return describe_file(place)


def is_intact(file: File) -> bool:
    """Whether ``file.path`` still holds the recorded bytes."""
    try:
        return file.path.stat().st_size == file.size and sha256_of(file.path) == file.sha256
    except OSError:
        return False


def signature_beside(document: Path) -> Callable[[], Bundle | None]:
    """Return what reads the signature of a document: from the same folder, else from its ``signatures``."""
    name = f"{document.name}{SUFFIX}"

    def read() -> Bundle | None:
        for path in (document.with_name(name), document.parent / SIGNATURES / name):
            try:
                return read_regular(path, MAX_BUNDLE)
            except FileNotFoundError:
                continue
        return None

    return read


def checksum_lines(files: Iterable[File]) -> bytes:
    """The content of ``SHA256SUMS``, in the format of ``sha256sum -c``."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda f: f.name)).encode()
