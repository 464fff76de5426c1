"""Changes to files: all of them or none, and never outside of the repository."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from unmoor.errors import Conflict, Refused, UnmoorError
from unmoor.filesystem.files import atomic_writer
from unmoor.filesystem.safe_folder import remove
from unmoor.scaffold import file_changes
from unmoor.scaffold.file_changes import FileChange, restore_all, write_all

NEW = FileChange(path="docs/new.md", before=None, after=b"new\n")
EDITED = FileChange(path="a.toml", before=b"one\r\ntwo\r\n", after=b"one\r\n2\r\n")
GONE = FileChange(path="gone.yml", before=b"old\n", after=None)
SAME = FileChange(path="same.txt", before=b"same\n", after=b"same\n")
ALL = (NEW, EDITED, GONE, SAME)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder with the files as they are before."""
    folder = tmp_path / "top"
    folder.mkdir()
    for change in ALL:
        if change.before is not None:
            (folder / change.path).write_bytes(change.before)
    return folder


def contents(top: Path) -> dict[str, bytes]:
    """Every file and folder below a folder; a folder has no bytes."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in sorted(top.rglob("*"))
    }


def test_every_change_is_made_and_taken_back(top: Path) -> None:
    """Files are written, changed and removed, line ends as they are given; then all is as before."""
    before = contents(top)
    (top / "a.toml").chmod(0o755)
    write_all(top, ALL)
    assert contents(top) == {"docs": b"", "docs/new.md": b"new\n", "a.toml": b"one\r\n2\r\n", "same.txt": b"same\n"}
    assert (top / "a.toml").stat().st_mode & 0o777 == 0o755
    restore_all(top, ALL)
    assert contents(top) == {**before, "docs": b""}


@pytest.mark.parametrize(
    ("change", "state"), [(NEW, "written"), (EDITED, "updated"), (GONE, "removed"), (SAME, "unchanged")]
)
def test_a_change_has_a_state(change: FileChange, state: str) -> None:
    """One word says what happens to the file."""
    assert change.state == state


def test_a_diff_is_unified() -> None:
    """A file that is new or removed is compared with nothing; one that stays the same has no diff."""
    assert list(NEW.diff()) == ["--- /dev/null", "+++ b/docs/new.md", "@@ -0,0 +1 @@", "+new"]
    assert list(GONE.diff())[:2] == ["--- a/gone.yml", "+++ /dev/null"]
    assert list(EDITED.diff())[3:] == [" one", "-two", "+2"]
    assert list(SAME.diff()) == []


@pytest.mark.parametrize("step", ["first", "last", "rename", "remove"])
def test_a_failure_leaves_all_as_they_were(step: str, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails on the way: no file has changed, and no folder is left."""
    before = contents(top)
    full = OSError(errno.ENOSPC, "No space left on device")
    begun: list[Path] = []

    @contextmanager
    def writer(path: Path, *, mode: int) -> Iterator[IO[bytes]]:
        begun.append(path)
        if {"first": 1, "last": 2}.get(step) == len(begun):
            raise full
        with atomic_writer(path, mode=mode) as stream:
            yield stream
            if step == "rename" and path.name == "new.md":  # the other file was renamed before
                assert (top / EDITED.path).read_bytes() == EDITED.after
                raise full

    def removing(path: Path) -> None:
        if step == "remove" and path.name == GONE.path:
            raise full
        remove(path)

    monkeypatch.setattr(file_changes, "atomic_writer", writer)
    monkeypatch.setattr(file_changes, "remove", removing)
    with pytest.raises(OSError, match="No space left"):
        write_all(top, ALL)
    assert contents(top) == before


def _changed(top: Path) -> None:
    (top / "a.toml").write_bytes(b"mine\n")


def _appeared(top: Path) -> None:
    (top / "docs").mkdir()
    (top / "docs/new.md").write_bytes(b"mine\n")


def _removed(top: Path) -> None:
    (top / "gone.yml").unlink()


def _link(top: Path) -> None:
    (top / "docs").symlink_to(top.parent)


def _file_link(top: Path) -> None:
    (top / "a.toml").rename(top / "b.toml")
    (top / "a.toml").symlink_to("b.toml")


def _file_for_folder(top: Path) -> None:
    (top / "docs").write_bytes(b"")


def _folder_for_file(top: Path) -> None:
    (top / "docs/new.md").mkdir(parents=True)


IN_THE_WAY: dict[str, tuple[Callable[[Path], None], type[UnmoorError], str]] = {
    "changed": (_changed, Conflict, "changed in the meantime"),
    "appeared": (_appeared, Conflict, "changed in the meantime"),
    "removed": (_removed, Conflict, "changed in the meantime"),
    "link": (_link, Refused, "it is a link"),
    "file link": (_file_link, Refused, "it is a link"),
    "file": (_file_for_folder, Refused, "it is no folder"),
    "folder": (_folder_for_file, Refused, "it is a directory"),
}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_what_is_in_the_way_is_refused(name: str, top: Path) -> None:
    """Nothing is written over what somebody else put there, and nothing through a link."""
    arrange, error, message = IN_THE_WAY[name]
    arrange(top)
    before = contents(top)
    with pytest.raises(error, match=message):
        write_all(top, ALL)
    assert contents(top) == before


@pytest.mark.parametrize("path", ["../a.toml", "/etc/passwd", ".git/hooks/pre-commit", "a\\b", "", "docs/../../a"])
def test_a_path_outside_is_refused(path: str, top: Path) -> None:
    """A path comes from settings of the project, so it may lead anywhere."""
    change = FileChange(path=path, before=None, after=b"x")
    with pytest.raises(Refused, match="not one of this repository"):
        write_all(top, [change])
    with pytest.raises(Refused, match="not one of this repository"):
        restore_all(top, [change])
