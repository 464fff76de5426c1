"""Trees and blobs. They never change, so the whole process reads each from git once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from unmoor import advice
from unmoor.adapters.git.program import GitProgram
from unmoor.errors import Unknown

_MOST_BLOBS: Final = 256
_LARGEST_BLOB: Final = 2_000_000
# A run reads a checkout, and a rehearsal its copy too.
_MOST_LISTINGS: Final = 3
_LONGEST_LISTING: Final = 50_000_000
_PATHS_AT_ONCE: Final = 500
_MOST_TEXT: Final = 50_000_000
_blobs: dict[tuple[str, str], bytes] = {}
_listings: OrderedDict[tuple[str, str], str] = OrderedDict()
_cache_lock = threading.Lock()


class TreeItem(NamedTuple):
    """A path of a tree: ``100644``, ``blob`` and its id, for example."""

    mode: str
    kind: str
    name: str


class BlobTooLargeError(Exception):
    """A blob has more bytes than may be read: ``size``."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def listing(git: GitProgram, folder: Path, commit: str) -> str:
    """Every path of a commit, by its full id: the output of ``git ls-tree -r -z``. Raises as `GitProgram.run` does.

    One listing answers for every file that is read afterwards. ``ls-tree`` opens no blob, so in a partial clone it
    fetches none.
    """
    key = (str(folder), commit)
    with _cache_lock:
        if key in _listings:
            _listings.move_to_end(key)
            return _listings[key]
    out = git.run("ls-tree", "-r", "-z", "--full-tree", commit, cwd=folder, limit=_LONGEST_LISTING).out
    with _cache_lock:
        _listings[key] = out
        while len(_listings) > _MOST_LISTINGS:
            _listings.popitem(last=False)
    return out


def paths(listed: str) -> list[str]:
    """The paths of a listing."""
    return [line.partition("\t")[2] for line in listed.split("\0") if line]


def executables(listed: str) -> list[str]:
    """The paths of a listing that are executable files."""
    return [line.partition("\t")[2] for line in listed.split("\0") if line.startswith("100755 ")]


def item(listed: str, path: str) -> TreeItem | None:
    """The entry of a path in a listing, ``None`` for a folder and for what is not there.

    Searches the text, since a listing may have hundreds of thousands of lines.
    """
    wanted = f"\t{path}\0"
    found = listed.find(wanted)
    while found >= 0:
        head = listed[listed.rfind("\0", 0, found) + 1 : found]
        if "\t" not in head:  # another path may contain a tab and end like this one
            return TreeItem(*head.split(" "))
        found = listed.find(wanted, found + 1)
    return None


def blob(git: GitProgram, folder: Path, name: str, *, limit: int) -> bytes:
    """The exact bytes of a blob. Raises `BlobTooLargeError` above ``limit`` bytes, and as `GitProgram.run` does."""
    key = (str(folder), name)
    with _cache_lock:
        if key in _blobs:
            return _blobs[key]
    # Without --textconv and --filters, which run programs. The first line is the name, the kind and the size.
    asked = f"{name}\n".encode()
    ran = git.run("cat-file", "--batch", cwd=folder, stdin=asked, exact=True, limit=limit + 1_000)
    out = ran.out.encode(errors="surrogateescape")
    head, _, rest = out.partition(b"\n")
    match head.split():
        case [_, b"blob", digits]:
            size = int(digits)
        case _:
            raise Unknown(
                f"git cannot read an object that the commit names: {head[:80].decode(errors='replace')}",
                where=str(folder),
                next_step=advice.CHECK_OBJECTS(),
            )
    if size > limit:
        raise BlobTooLargeError(size)
    content = rest[:size]
    if len(content) <= _LARGEST_BLOB:
        with _cache_lock:
            if len(_blobs) >= _MOST_BLOBS:
                _blobs.clear()
            _blobs[key] = content
    return content


def texts(git: GitProgram, folder: Path, commit: str, paths: Sequence[str]) -> dict[str, str]:
    """The texts of many files at a commit, by path: ``git grep`` writes every line, in one process for 500 files.

    Leaves out empty and binary files. Raises as `GitProgram.run` does.
    """
    lines: dict[str, list[str]] = {}
    args = ("grep", "-I", "-z", "--no-color", "--no-line-number", "--no-column", "--full-name", "-e", "", commit)
    for start in range(0, len(paths), _PATHS_AT_ONCE):
        wanted = paths[start : start + _PATHS_AT_ONCE]
        # Without any line in them the exit code is 1.
        ran = git.run(*args, "--", *wanted, cwd=folder, fine=(0, 1), limit=_MOST_TEXT)
        for line in ran.out.split("\n"):
            name, separator, content = line.partition("\0")
            if separator:
                lines.setdefault(name.partition(":")[2], []).append(content)
    return {path: "\n".join((*content, "")) for path, content in lines.items()}
