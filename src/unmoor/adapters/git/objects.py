"""What a commit holds. It never changes, so git is asked once for each thing, whoever asks in this process."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from unmoor.adapters.git.program import GitProgram

T = TypeVar("T", str, bytes)

_MOST: Final = 256
_LARGEST: Final = 2_000_000
_kept: dict[tuple[str, ...], str | bytes] = {}
_keeping = threading.Lock()


def tree(git: GitProgram, folder: Path, commit: str, *options: str, path: str = "") -> str:
    """What ``git ls-tree`` says of a commit, by its full id. Raises as `GitProgram.run` does."""
    words = ("ls-tree", "-z", *options, "--full-tree", commit, *(("--", path) if path else ()))
    return _once((str(folder), *words), lambda: git.run(*words, cwd=folder).out)


def blob(git: GitProgram, own: Path, name: str) -> bytes:
    """The very bytes of a blob of the repository in ``own``: through a file, since a shell's answer is decoded text."""

    def read() -> bytes:
        with tempfile.TemporaryDirectory(prefix="unmoor-") as aside:
            folder = Path(aside)
            env = {"GIT_DIR": str(own), "GIT_WORK_TREE": aside}
            file = git.run("unpack-file", name, cwd=folder, env=env).out.strip()
            return (folder / Path(file).name).read_bytes()

    return _once((str(own), "blob", name), read)


def _once(key: tuple[str, ...], ask: Callable[[], T]) -> T:
    with _keeping:
        known = _kept.get(key)
    if known is not None:
        return known  # type: ignore[return-value]  # the key says which of the two it is
    answer = ask()
    if len(answer) <= _LARGEST:
        with _keeping:
            if len(_kept) >= _MOST:
                _kept.clear()
            _kept[key] = answer
    return answer
