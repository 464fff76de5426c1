"""The built files as products: measured, seen to be intact, and listed with their sums."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unmoor.products import File
from unmoor.util.files import sha256_of


def describe_file(path: Path) -> File:
    """Hash and measure a file that is there."""
    return File(name=path.name, sha256=sha256_of(path), size=path.stat().st_size, path=path)


def is_intact(file: File) -> bool:
    """Whether the bytes at ``file.path`` are still the ones that were recorded."""
    try:
        return file.path.stat().st_size == file.size and sha256_of(file.path) == file.sha256
    except OSError:
        return False


def checksum_lines(files: Iterable[File]) -> bytes:
    """The text of ``SHA256SUMS``, as ``sha256sum -c`` reads it."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda f: f.name)).encode()
