"""The names that git gives to files and folders, worked out from their bytes.

A tree names every file below it, so two folders are the same if their trees have the same id. Working it out here tells
whether a branch holds the pages of an archive without unpacking, sending or fetching one of them. Git's own objects
agree, which the adapter checks after it has added the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from unmoor.ports.pages import FILE, TREE, BranchEntry

_SHA1_LENGTH: Final = 40
# Deeper folders than any site has, and fewer than Python calls of one function within another.
MOST_PARTS: Final = 64


def object_id(kind: str, data: bytes, *, like: str = "") -> str:
    """The id of an object, in the format of the repository in which ``like`` is an id: SHA-1, or SHA-256.

    >>> object_id("blob", b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    name = "sha1" if len(like) in {0, _SHA1_LENGTH} else "sha256"
    digest = hashlib.new(name, usedforsecurity=False)
    digest.update(f"{kind} {len(data)}\0".encode())
    digest.update(data)
    return digest.hexdigest()


def tree_object(entries: Mapping[str, BranchEntry]) -> bytes:
    """A tree as git stores it, with its entries in git's order: a folder sorts as if its name ended with a slash."""

    def order(item: tuple[str, BranchEntry]) -> bytes:
        name, entry = item
        return name.encode(errors="surrogateescape") + (b"/" if entry.mode == TREE else b"")

    return b"".join(
        f"{entry.mode.lstrip('0')} ".encode() + name.encode(errors="surrogateescape") + b"\0" + bytes.fromhex(entry.id)
        for name, entry in sorted(entries.items(), key=order)
    )


def site_tree(files: Iterable[tuple[str, str]], *, like: str = "") -> str:
    """The id of the tree with these files: each a path with slashes, and the id of its blob. None is executable."""
    root: dict[str, object] = {}
    for path, blob in files:
        *folders, name = path.split("/")
        here = root
        for folder in folders:
            below = here.setdefault(folder, {})
            here = below if isinstance(below, dict) else {}
        here[name] = blob
    return _tree_of(root, like)


def _tree_of(folder: Mapping[str, object], like: str) -> str:
    entries = {}
    for name, value in folder.items():
        if isinstance(value, dict):
            entries[name] = BranchEntry(mode=TREE, id=_tree_of(value, like))
        else:
            entries[name] = BranchEntry(mode=FILE, id=str(value))
    return object_id("tree", tree_object(entries), like=like)
