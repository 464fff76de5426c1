"""Changes to the files of a work tree: shown as a diff, written all together or not at all, and taken back."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath

import msgspec

from unmoor import advice
from unmoor.errors import Conflict, Refused
from unmoor.filesystem.files import atomic_writer, read_regular
from unmoor.filesystem.safe_folder import remove
from unmoor.util.text import clean

_NEW_MODE = 0o644
_NO_FILE = "/dev/null"
_UNENDED = "\0"


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change to a file, by its path from the top of the repository, with slashes.

    ``before`` is ``None`` if there is no file yet, ``after`` if there will be none. ``reason`` says why, in a few
    words.
    """

    path: str
    before: bytes | None
    after: bytes | None
    reason: str = ""

    @property
    def changes(self) -> bool:
        """Whether the file will be another one."""
        return self.before != self.after

    @property
    def state(self) -> str:
        """What happens to the file, in a word."""
        if not self.changes:
            return "unchanged"
        return "written" if self.before is None else "removed" if self.after is None else "updated"

    def diff(self) -> Iterator[str]:
        """The lines of a unified diff, without line ends. Nothing for a file that stays the same."""
        before, after = (_lines(data or b"") for data in (self.before, self.after))
        names = (
            _NO_FILE if self.before is None else f"a/{self.path}",
            _NO_FILE if self.after is None else f"b/{self.path}",
        )
        for line in difflib.unified_diff(before, after, *names, lineterm=""):
            yield line.removesuffix(_UNENDED)
            if line.endswith(_UNENDED):
                yield "\\ No newline at end of file"


def _lines(data: bytes) -> list[str]:
    """The lines of a file without their ends. A last one without an end gets a mark, so that it is another line."""
    lines = data.decode(errors="replace").split("\n")
    last = lines.pop()
    return [line.removesuffix("\r") for line in lines] + ([last + _UNENDED] if last else [])


def write_all(top: Path, changes: Sequence[FileChange]) -> None:
    """Bring every change about below ``top``, or none of them; a full disk leaves all files as they were.

    Every file is written beside its place before the first one is renamed into it, and files are removed last. A
    process that is killed between two renames leaves some files changed, each of them whole. Raises `Refused` for a
    path outside of ``top``, for links and folders in the way, and for files that may not be written; `Conflict` if a
    file is no longer as it was ``before``.
    """
    changed = [change for change in changes if change.changes]
    for change in changed:
        _require_place(top, change.path)
        _require_bytes(top, change, change.before)
    missing = _missing_folders(top, changed)
    try:
        _replace(top, [(change.path, change.after) for change in changed])
    except BaseException:
        _put_back(top, changed)
        for folder in missing:
            with suppress(OSError):  # somebody put a file there
                folder.rmdir()
        raise


def restore_all(top: Path, changes: Sequence[FileChange]) -> None:
    """Bring every file back to what it was before, whatever it holds now. Raises `Refused` as `write_all` does."""
    changed = [change for change in changes if change.changes]
    for change in changed:
        _require_place(top, change.path)
    _replace(top, [(change.path, change.before) for change in changed])


def _replace(top: Path, files: Sequence[tuple[str, bytes | None]]) -> None:
    with ExitStack() as stack:
        for path, data in files:
            if data is not None:
                stack.enter_context(atomic_writer(top / path, mode=_mode(top / path))).write(data)
    for path, data in files:
        if data is None:
            remove(top / path)


def _put_back(top: Path, changes: Sequence[FileChange]) -> None:
    """Restore those files that were already replaced or removed when a later one failed."""
    done = [change for change in changes if _holds(top, change.path, change.after)]
    _replace(top, [(change.path, change.before) for change in done])


def _mode(path: Path) -> int:
    """The mode of the file that is replaced, since scripts are executable."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return _NEW_MODE


def _missing_folders(top: Path, changes: Sequence[FileChange]) -> list[Path]:
    """The folders that writing makes, deepest first."""
    folders = {folder for change in changes for folder in Path(change.path).parents}
    return [top / each for each in sorted(folders, key=str, reverse=True) if not (top / each).exists()]


def _require_place(top: Path, path: str) -> None:
    """Raise `Refused` for a path that leads out of the repository, or through something that is no folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or ".git" in pure.parts or "\\" in path:
        raise Refused("the path is not one of this repository", where=clean(path), next_step=advice.CORRECT_PATH())
    for place in (*reversed(pure.parents[:-1]), pure):
        here = top / place
        if here.is_symlink():
            raise Refused("it is a link", where=clean(str(place)), next_step=advice.CORRECT_PLACE())
        if place != pure and here.exists() and not here.is_dir():
            raise Refused("it is no folder", where=clean(str(place)), next_step=advice.CORRECT_PLACE())
    if (top / pure).is_dir():
        raise Refused("it is a directory", where=clean(path), next_step=advice.CORRECT_PLACE())


def _require_bytes(top: Path, change: FileChange, expected: bytes | None) -> None:
    if not _holds(top, change.path, expected):
        raise Conflict("the file was changed in the meantime", where=clean(change.path), retryable=True)


def _holds(top: Path, path: str, expected: bytes | None) -> bool:
    """Whether a file holds exactly these bytes; ``None``: whether there is none."""
    try:
        return read_regular(top / path, len(expected or b"")) == expected
    except (FileNotFoundError, NotADirectoryError):
        return expected is None
