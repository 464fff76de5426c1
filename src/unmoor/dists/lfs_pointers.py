"""Find what git-lfs leaves in the place of a file that it did not fetch."""

from __future__ import annotations

import os
from pathlib import Path

from unmoor.util.text import clean

# What git-lfs leaves in the place of a file that it did not fetch; such a pointer is short.
_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_LIMIT = 1024


def pointers(tree: Path) -> list[str]:
    """Every file of a tree that is a pointer instead of a large file, sorted; what git itself keeps is left out."""
    found = []
    for folder, folders, files in os.walk(tree):
        if ".git" in folders:
            folders.remove(".git")
        for path in (Path(folder, name) for name in files):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _POINTER_LIMIT:
                with path.open("rb") as stream:
                    if stream.read(len(_POINTER)) == _POINTER:
                        found.append(clean(path.relative_to(tree).as_posix()))
    return sorted(found)
