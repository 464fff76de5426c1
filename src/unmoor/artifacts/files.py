"""Built files as products: hashed, checked, and listed with their checksums."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unmoor.products import File
from unmoor.util.files import sha256_of


def describe_file(path: Path) -> File:
    """Hash and measure an existing file."""
    return File(name=path.name, sha256=sha256_of(path), size=path.stat().st_size, path=path)


def is_intact(file: File) -> bool:
    """Whether ``file.path`` still holds the recorded bytes."""
    try:
        return file.path.stat().st_size == file.size and sha256_of(file.path) == file.sha256
    except OSError:
        return False


def checksum_lines(files: Iterable[File]) -> bytes:
    """The content of ``SHA256SUMS``, in the format of ``sha256sum -c``."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda f: f.name)).encode()
