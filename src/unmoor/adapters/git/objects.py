"""Trees and blobs. They never change, so the whole process reads each from git once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from unmoor.adapters.git.program import GitProgram
from unmoor.util.temporary import temporary_folder

T = TypeVar("T", str, bytes)

_MOST_ENTRIES: Final = 256
_LARGEST_ENTRY: Final = 2_000_000
_cache: dict[tuple[str, ...], str | bytes] = {}
_cache_lock = threading.Lock()


def tree(git: GitProgram, folder: Path, commit: str, *options: str, path: str = "") -> str:
    """The output of ``git ls-tree`` for a commit, by its full id. Raises as `GitProgram.run` does."""
    args = ("ls-tree", "-z", *options, "--full-tree", commit, *(("--", path) if path else ()))
    return _cached((str(folder), *args), lambda: git.run(*args, cwd=folder).out)


def blob(git: GitProgram, git_dir: Path, name: str) -> bytes:
    """The exact bytes of a blob. Read through a file, since the shell decodes output as text."""

    def read() -> bytes:
        with temporary_folder() as folder:
            env = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(folder)}
            file = git.run("unpack-file", name, cwd=folder, env=env).out.strip()
            return (folder / Path(file).name).read_bytes()

    return _cached((str(git_dir), "blob", name), read)


def _cached(key: tuple[str, ...], read: Callable[[], T]) -> T:
    with _cache_lock:
        known = _cache.get(key)
    if known is not None:
        return known  # type: ignore[return-value]  # the key determines which of the two types it is
    answer = read()
    if len(answer) <= _LARGEST_ENTRY:
        with _cache_lock:
            if len(_cache) >= _MOST_ENTRIES:
                _cache.clear()
            _cache[key] = answer
    return answer
