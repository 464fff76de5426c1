"""The part for Windows, over a model of its files: nothing leads elsewhere, and what is in use is tried again."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.folder_uses import FOLDER_USES, USES, make_target, state
from tests.support.windows_model import CLOUD_TAG, SYMLINK_TAG, USER, WindowsModel, failure

from unmoor.core import journal
from unmoor.errors import Refused
from unmoor.filesystem import files, locks, own_files, safe_folder, temporary, windows
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.protocol import EntryKind
from unmoor.filesystem.safe_folder import make_folder, make_private, open_folder, open_in_place, refuse_links, remove
from unmoor.filesystem.temporary import sweep_temporary_folders, temporary_folder
from unmoor.filesystem.windows import PATIENCE, Information, Security, WindowsFiles, extended, is_link

assert sys.platform == "linux"  # the model stands on its files

EVERYONE, USERS, OTHER = "S-1-1-0", "S-1-5-32-545", "S-1-5-21-1-2-3-1002"
FULL, READ, WRITE_ATTRIBUTES = 0x1F01FF, 0x120089, 0x100


@pytest.fixture
def model() -> WindowsModel:
    """The files of Windows."""
    return WindowsModel()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were made."""
    return []


@pytest.fixture(autouse=True)
def system(model: WindowsModel, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> WindowsFiles:
    """Every module of the room uses the model."""
    made = WindowsFiles(model, sleep=pauses.append)
    for module in (files, journal, locks, own_files, safe_folder, temporary):
        monkeypatch.setattr(module, "here", lambda: made)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, in a checkout."""
    path = tmp_path / "checkout" / ".unmoor" / "v1"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder outside, with the names that are used inside."""
    return make_target(tmp_path)


@pytest.mark.parametrize("use", FOLDER_USES)
def test_each_use_works(run: Path, use: str, model: WindowsModel) -> None:
    """Folders and files are opened, and nothing stays open."""
    if use != "make":
        (run / "file").write_bytes(b"ours")
    FOLDER_USES[use](run / "file")
    assert list(model._handles()) == []


@pytest.mark.parametrize("link", [".unmoor", ".unmoor/v1", ".unmoor/v1/dists"])
@pytest.mark.parametrize("use", FOLDER_USES)
def test_a_folder_that_is_a_link(run: Path, target: Path, link: str, use: str) -> None:
    """A link or junction in the place of a folder is refused by its name and target."""
    checkout = run.parents[1]
    remove(run.parent)
    path = checkout / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target.joinpath(*Path(link).parts[1:]))
    before = state(target)
    with pytest.raises(Refused, match=r"a link to .*target") as caught:
        FOLDER_USES[use](checkout / ".unmoor" / "v1" / "dists" / "file")
    assert caught.value.where == str(path)
    with pytest.raises(Refused, match="a link to"):
        refuse_links(checkout)
    assert state(target) == before


@pytest.mark.parametrize("leads", ["file", "v1", "nowhere"])
@pytest.mark.parametrize("use", [*USES, "remove"])
def test_a_file_that_is_a_link(run: Path, target: Path, leads: str, use: str) -> None:
    """A link in the place of a file is refused, and what it leads to stays."""
    (run / "file").symlink_to(target / leads)
    before = state(target)
    with pytest.raises(Refused, match="a link to"):
        FOLDER_USES[use](run / "file")
    assert state(target) == before


@pytest.mark.parametrize("use", ["append", "lock"])
def test_a_hard_link_is_not_written_in_place(run: Path, target: Path, use: str) -> None:
    """A file with a second name is refused where it would change there."""
    (run / "file").hardlink_to(target / "file")
    with pytest.raises(Refused, match="another name"):
        USES[use](run / "file")


def test_what_is_held_cannot_be_moved(run: Path, model: WindowsModel) -> None:
    """While a folder is open, neither it nor one above it from ``.unmoor`` on can be renamed or removed."""
    with open_folder(run):
        for path in (run, run.parent):
            with pytest.raises(PermissionError):
                model.replace(str(path), f"{path}-x")
            with pytest.raises(PermissionError):
                model.rmdir(str(path))
    model.replace(str(run), f"{run}-x")


@pytest.mark.parametrize("use", USES)
def test_an_empty_folder_that_becomes_a_junction(run: Path, target: Path, use: str, model: WindowsModel) -> None:
    """Windows lets an empty folder become a junction while it is open: then nothing below it counts."""
    path = run / "dists"
    path.mkdir()

    def swap(opened: str) -> None:
        if Path(opened).parent == path and not path.is_symlink():
            path.rmdir()
            path.symlink_to(target)

    model.opening = swap
    before = (target / "file").read_bytes()
    with pytest.raises((Refused, FileNotFoundError)):
        USES[use](path / "file")
    assert (target / "file").read_bytes() == before


@pytest.mark.parametrize("times", [0, 1, len(PATIENCE), len(PATIENCE) + 1])
@pytest.mark.parametrize("use", [*USES, "remove", "rename"])
def test_a_file_that_is_in_use(run: Path, use: str, times: int, model: WindowsModel, pauses: list[float]) -> None:
    """A virus scanner may hold a file for about a second; a program that holds it longer is an error."""
    (run / "file").write_bytes(b"ours")
    model.busy["file"] = [32] * times
    if times > len(PATIENCE):
        with pytest.raises(PermissionError) as caught:
            FOLDER_USES[use](run / "file")
        assert getattr(caught.value, "winerror", None) == 32
        assert (run / "file").read_bytes() == b"ours"
        assert [each.name for each in run.iterdir()] == ["file"]
    else:
        FOLDER_USES[use](run / "file")
    assert tuple(pauses) == PATIENCE[:times]
    assert sum(PATIENCE) < 2


def test_a_file_without_permission_fails_at_once(run: Path, model: WindowsModel, pauses: list[float]) -> None:
    """What this user may not open is not tried again."""
    (run / "file").write_bytes(b"ours")
    model.busy["file"] = [5]
    with pytest.raises(PermissionError):
        read_regular(run / "file", 10)
    assert pauses == []


@pytest.mark.parametrize("after", [1, 3])
def test_a_reader_does_not_keep_a_file_from_being_replaced(
    run: Path, after: int, model: WindowsModel, system: WindowsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to rename over an open file; the write waits until the reader is done."""
    write_atomic(run / "file", b"old")
    reader = model.open(str(run / "file"), windows.GENERIC_READ, windows.SHARE_ALL, windows.OPEN_EXISTING, 0)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == after:
            model.close(reader)

    monkeypatch.setattr(system, "_sleep", sleep)
    write_atomic(run / "file", b"new")
    assert (read_regular(run / "file", 10), len(pauses)) == (b"new", after)


def test_read_only_files_are_replaced_and_removed(run: Path, model: WindowsModel) -> None:
    """Windows refuses both, and git makes its objects read-only."""
    for name in ("file", "objects/ab/cd"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"old")
        (run / name).chmod(0o444)
    write_atomic(run / "file", b"new")
    assert (run / "file").read_bytes() == b"new"
    remove(run / "objects")
    assert [each.name for each in run.iterdir()] == ["file"]
    assert [each for each in model.calls if each.startswith("writable")] == ["writable file", "writable cd"]


def test_links_are_removed_with_their_folder(run: Path, target: Path) -> None:
    """Links to files and to folders are removed, and what they lead to stays."""
    (run / "inner").mkdir()
    (run / "inner" / "to-folder").symlink_to(target)
    (run / "inner" / "to-file").symlink_to(target / "file")
    before = state(target)
    remove(run)
    assert (run.exists(), state(target)) == (False, before)


@pytest.mark.parametrize("name", ["file", "v1", ".unmoor"])
def test_files_that_onedrive_keeps_are_no_links(run: Path, name: str, model: WindowsModel) -> None:
    """A reparse point that stands for no other name is a file or folder like others."""
    model.cloud.add(name)
    (run / "file").write_bytes(b"ours")
    assert read_regular(run / "file", 10) == b"ours"
    refuse_links(run.parents[1])
    assert list(model._handles()) == []


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        (Information(attributes=windows.DIRECTORY), False),
        (Information(attributes=windows.REPARSE_POINT, tag=SYMLINK_TAG), True),
        (Information(attributes=windows.REPARSE_POINT | windows.DIRECTORY, tag=0xA000_0003), True),
        (Information(attributes=windows.REPARSE_POINT, tag=0xA000_001D), True),
        (Information(attributes=windows.REPARSE_POINT, tag=CLOUD_TAG), False),
        (Information(attributes=windows.REPARSE_POINT, tag=0x8000_0013), False),
    ],
    ids=["folder", "symlink", "junction", "wsl-symlink", "onedrive", "deduplicated"],
)
def test_links(information: Information, *, expected: bool) -> None:
    """The tag of a reparse point says whether it stands for another name."""
    assert is_link(information) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("C:\\src\\demo", "\\\\?\\C:\\src\\demo"),
        ("C:/src/demo", "\\\\?\\C:\\src\\demo"),
        ("c:\\Übung mit Leerzeichen\\demo", "\\\\?\\c:\\Übung mit Leerzeichen\\demo"),
        ("C:\\", "\\\\?\\C:\\"),
        ("C:\\aux", "\\\\?\\C:\\aux"),
        ("\\\\server\\share\\demo", "\\\\?\\UNC\\server\\share\\demo"),
        ("//server/share/demo", "\\\\?\\UNC\\server\\share\\demo"),
        ("\\\\wsl$\\Debian\\home", "\\\\?\\UNC\\wsl$\\Debian\\home"),
        ("\\\\?\\C:\\src", "\\\\?\\C:\\src"),
        ("\\\\.\\pipe\\docker_engine", "\\\\.\\pipe\\docker_engine"),
        (f"C:\\{'d' * 200}\\{'f' * 200}", f"\\\\?\\C:\\{'d' * 200}\\{'f' * 200}"),
    ],
)
def test_long_paths(path: str, expected: str) -> None:
    """Windows takes a path of any length in one form only, which knows neither slashes nor reserved names."""
    assert extended(path) == expected


@pytest.mark.parametrize(
    ("mode", "made"), [(0o600, "private"), (0o400, "private"), (0o644, "inherited"), (0o755, "inherited")]
)
def test_modes(run: Path, mode: int, made: str, model: WindowsModel) -> None:
    """A file that others may not read gets an access list of its own; others have that of their folder."""
    write_atomic(run / "file", b"ours", mode=mode)
    assert [each.split()[:2] for each in model.calls] == [["create", made]]
    os.close(open_in_place(run / "other", mode=mode))
    assert model.calls[1:] == [f"create {made} other"]


def test_private_folders(run: Path, model: WindowsModel) -> None:
    """A private folder is made so, or made private; one of another user stays as it is."""
    make_private(run / "new")
    make_private(run)
    model.lists[str(run)] = Security(OTHER, ((EVERYONE, FULL),))
    make_private(run)
    assert model.calls == ["mkdir private new", "protect new", "protect v1"]


@pytest.mark.parametrize(
    ("security", "reads", "changes"),
    [
        (Security(USER, ((USER, FULL), ("S-1-5-18", FULL), ("S-1-5-32-544", FULL))), "", ""),
        (Security("S-1-5-32-544", ((USER, FULL),)), "", ""),
        (Security(USER, ((USER, FULL), (USERS, READ))), "BUILTIN\\Users has access", ""),
        (Security(USER, ((EVERYONE, FULL),)), "Everyone has access", "Everyone has access"),
        (Security(USER, ((OTHER, 0x2),)), f"{OTHER} has access", f"{OTHER} has access"),
        (Security(USER, ((USERS, WRITE_ATTRIBUTES),)), "", ""),
        (Security(USER, ()), "", ""),
        (Security(USER, None), "everybody has full access", "everybody has full access"),
        (Security(OTHER, ((USER, FULL),)), "", f"belongs to {OTHER}"),
    ],
    ids=["private", "elevated", "readable", "everyone", "writable", "attributes", "nobody", "fat", "of-another"],
)
def test_access_of_others(run: Path, security: Security, reads: str, changes: str, system: WindowsFiles) -> None:
    """Whoever may read or change a file is named, but for the administrators of the machine."""
    assert isinstance(system.api, WindowsModel)
    (run / "file").write_bytes(b"ours")
    system.api.lists[str(run / "file")] = security
    handle = open_in_place(run / "file")
    try:
        assert system.access_of_others(handle).startswith(reads)
        assert bool(system.access_of_others(handle)) == bool(reads)
        for why in (system.why_not_own(run / "file", handle), system.why_not_own(run / "file")):
            assert (why.startswith(changes), bool(why)) == (True, bool(changes))
    finally:
        os.close(handle)


def test_a_secret_is_not_written_to_a_disk_without_access_lists(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A USB stick with FAT has no access lists: a file that others could read is refused, and nothing is left."""
    monkeypatch.setattr(WindowsModel, "security", lambda *_: Security(USER, None))
    with pytest.raises(Refused, match="does not keep permissions"):
        write_atomic(run / "secret", b"x", mode=0o600)
    assert list(run.iterdir()) == []
    write_atomic(run / "file", b"x")


@pytest.mark.parametrize("owner", [USER, "S-1-5-18", "S-1-5-32-544"])
def test_owners(run: Path, owner: str, model: WindowsModel) -> None:
    """The folder belongs to this user or to an administrator; somebody else could change it."""
    model.lists[str(run)] = Security(owner, ())
    refuse_links(run.parents[1])
    model.lists[str(run)] = Security(OTHER, ())
    with pytest.raises(Refused, match=f"belongs to user {OTHER}"):
        refuse_links(run.parents[1])


def test_two_writers_append_whole_lines(run: Path) -> None:
    """A file that is only appended to is opened so that Windows itself finds the end of it."""
    first, second = (open_in_place(run / "log", flags=os.O_WRONLY | os.O_APPEND) for _ in range(2))
    for handle, line in ((first, b"one\n"), (second, b"two\n"), (first, b"three\n")):
        os.write(handle, line)
    os.close(first)
    os.close(second)
    assert (run / "log").read_bytes() == b"one\ntwo\nthree\n"


def test_a_lock_is_held_once(run: Path) -> None:
    """The process that holds it is named, since the bytes of the file stay readable."""
    with locks.exclusive_lock(run) as is_held:
        assert is_held()
        with pytest.raises(Refused, match=rf"process {os.getpid()}\)"), locks.exclusive_lock(run):
            pass
    with locks.exclusive_lock(run):
        pass


def sweep(top: Path, _: WindowsModel) -> None:
    """Another run sweeps as soon as the folder has its name."""
    for each in top.glob("unmoor-tmp-*"):
        each.rmdir()


@pytest.mark.parametrize("meanwhile", [lambda *_: None, sweep], ids=["alone", "swept"])
def test_a_temporary_folder_is_held(
    tmp_path: Path,
    meanwhile: Callable[[Path, WindowsModel], None],
    model: WindowsModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sweep cannot move a folder whose process lives, and one that was swept too early is made again."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / "unmoor-tmp-0123456789abcdef"
    dead.mkdir()
    swept: list[str] = []

    def opening(path: str) -> None:
        if Path(path).name.startswith("unmoor-tmp-") and not swept:
            swept.append(path)
            meanwhile(tmp_path, model)

    model.opening = opening
    with temporary_folder() as folder:
        assert list(folder.iterdir()) == []
        (folder / "read-only").touch()
        (folder / "read-only").chmod(0o444)
        sweep_temporary_folders()
        assert folder.is_dir()
        assert not dead.exists()
    assert list(tmp_path.iterdir()) == []


def test_kinds(run: Path, system: WindowsFiles) -> None:
    """A folder, a file, a link and a device are told apart, and what is none of the wanted kind is refused."""
    make_folder(run / "folder")
    (run / "file").touch()
    (run / "link").symlink_to(run)
    os.mkfifo(run / "pipe")
    folder = system.open_top(run)
    expected = {
        "file": EntryKind.FILE,
        "folder": EntryKind.FOLDER,
        "link": EntryKind.LINK,
        "pipe": EntryKind.DEVICE,
    }
    try:
        assert folder.names() == sorted(expected)
        assert {name: folder.look(name).kind for name in folder.names()} == expected
        for name in ("link", "file"):
            with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
                folder.below(name)
    finally:
        folder.close()
    with pytest.raises(Refused, match="a device where"):
        write_atomic(run / "pipe", b"x")
    assert failure(32, "x").errno == 13
