"""The real calls to Windows, on Windows."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from unmoor.errors import Refused
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.own_files import append_own, read_own, why_not_own_folder
from unmoor.filesystem.safe_folder import (
    make_folder,
    make_private,
    names_in,
    open_folder,
    open_in_place,
    refuse_links,
    remove,
    rename,
)
from unmoor.filesystem.system import here
from unmoor.filesystem.temporary import sweep_temporary_folders, temporary_folder

assert sys.platform == "win32"

SHARING_VIOLATION = 32


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, in a checkout."""
    path = tmp_path / "checkout" / ".unmoor" / "v1"
    make_folder(path)
    return path


def test_files_are_written_replaced_and_removed(run: Path) -> None:
    """A read-only file is replaced and removed too, as on other systems."""
    for data in (b"one", b"two"):
        write_atomic(run / "file", data)
        assert read_regular(run / "file", 10) == data
        (run / "file").chmod(0o444)
    refuse_links(run.parents[1])
    rename(run, run.with_name("v2"))
    assert names_in(run.with_name("v2")) == ["file"]
    remove(run.parent)
    assert not run.parent.exists()


def test_what_is_held_cannot_be_moved(run: Path) -> None:
    """While a folder is open, neither it nor one above it from ``.unmoor`` on can be renamed."""
    with open_folder(run):
        for path in (run, run.parent):
            with pytest.raises(PermissionError) as caught:
                path.rename(run.parents[1] / "other")
            assert caught.value.winerror == SHARING_VIOLATION
    run.rename(run.parents[1] / "other")


def test_paths_of_any_length(run: Path) -> None:
    """A path may be longer than 260 characters, with blanks and umlauts."""
    deep = run.joinpath(*["Übung mit Leerzeichen"] * 15)
    make_folder(deep)
    write_atomic(deep / "file", b"x")
    assert len(str(deep)) > 300
    assert read_regular(deep / "file", 10) == b"x"
    remove(run)
    assert not run.exists()


def test_a_hard_link_is_not_written_in_place(run: Path, tmp_path: Path) -> None:
    """The number of names of an open file is known."""
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (run / "file").hardlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="another name"):
        open_in_place(run / "file")


def test_private_files(run: Path) -> None:
    """A private file has an access list of its own, which the file and its owner can be asked for."""
    make_private(run)
    write_atomic(run / "file", b"x", mode=0o600)
    with (run / "file").open("rb") as stream:
        assert here().access_of_others(stream.fileno()) == ""
        assert here().why_not_own(run / "file", stream.fileno()) == ""
        assert here().entry_of(stream.fileno()).owner in here().trusted_owners()
    assert "\\" in here().user_name(here().user())
    append_own(run / "a" / "b" / "notes", b"one\n")
    append_own(run / "a" / "b" / "notes", b"two\n")
    assert read_own(run / "a" / "b" / "notes", 100) == b"one\ntwo\n"
    assert why_not_own_folder(run / "a" / "b") == ""


def test_a_lock_is_held_once(run: Path) -> None:
    """The process that holds it is named, since the bytes of the file stay readable."""
    with exclusive_lock(run) as is_held:
        assert is_held()
        with pytest.raises(Refused, match=rf"process {os.getpid()}\)"), exclusive_lock(run):
            pass
    with exclusive_lock(run):
        pass


def test_two_writers_append_whole_lines(run: Path) -> None:
    """Windows itself finds the end of a file that is only appended to."""
    first, second = (open_in_place(run / "log", flags=os.O_WRONLY | os.O_APPEND) for _ in range(2))
    for handle, line in ((first, b"one\n"), (second, b"two\n"), (first, b"three\n")):
        os.write(handle, line)
    here().sync(first)
    os.close(first)
    os.close(second)
    handle = open_in_place(run / "log")
    os.truncate(handle, 8)
    assert here().read_at(handle, 100, 4) == b"two\n"
    os.close(handle)


def test_a_temporary_folder_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep removes the folder of a dead run, and cannot move that of one that lives."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "unmoor-tmp-0123456789abcdef").mkdir()
    with temporary_folder() as folder:
        (folder / "file").touch()
        (folder / "file").chmod(0o444)
        sweep_temporary_folders()
        assert list(tmp_path.iterdir()) == [folder.parent]
    assert list(tmp_path.iterdir()) == []
