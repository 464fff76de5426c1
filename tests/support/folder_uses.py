"""Every way in which unmoor uses a file or folder of its own, to try each where it must not work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unmoor.core.journal import FileJournal
from unmoor.filesystem.files import read_regular, sha256_of, write_atomic
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import make_folder, names_in, remove, rename


def journaled(path: Path) -> None:
    """Append to a journal."""
    journal = FileJournal(path)
    journal.start()
    journal.write({"event": "test"})


def locked(path: Path) -> None:
    """Take a lock."""
    with exclusive_lock(path.parent, name=path.name):
        pass


USES: dict[str, Callable[[Path], object]] = {
    "read": lambda path: read_regular(path, 100),
    "hash": sha256_of,
    "write": lambda path: write_atomic(path, b"ours"),
    "append": journaled,
    "lock": locked,
}
FOLDER_USES: dict[str, Callable[[Path], object]] = USES | {
    "make": make_folder,
    "remove": remove,
    "rename": lambda path: rename(path, path.with_name("other")),
    "list": lambda path: names_in(path.parent),
}


def make_target(parent: Path) -> Path:
    """Make a folder outside of the checkout, with the names that are used inside."""
    folder = parent / "target"
    (folder / "v1" / "dists").mkdir(parents=True)
    for name in ("file", "v1/file", "v1/dists/file"):
        (folder / name).write_bytes(b"theirs")
    return folder


def state(folder: Path) -> dict[str, bytes | None]:
    """Every entry below a folder, with the bytes of files."""
    entries = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in entries}
