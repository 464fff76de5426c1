"""Nothing below ``.unmoor`` is read, written or removed through a link, and nothing waits for a pipe."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.folder_uses import FOLDER_USES, USES, make_target, state

from unmoor.errors import Refused
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import make_folder, refuse_links, remove

assert sys.platform != "win32"  # pipes, sockets, devices and user ids

pytestmark = pytest.mark.timeout(20)  # a pipe that is waited for


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder outside, with the names that are used inside."""
    return make_target(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without a folder of ours."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("relative", [True, False], ids=["relative", "absolute"])
@pytest.mark.parametrize("link", [".unmoor", ".unmoor/v1", ".unmoor/v1/dists"])
@pytest.mark.parametrize("use", FOLDER_USES)
def test_a_folder_that_is_a_link(checkout: Path, target: Path, link: str, use: str, *, relative: bool) -> None:
    """Whatever component is a link, each use is refused by its name and target, and the target stays as it is."""
    path = checkout / link
    path.parent.mkdir(parents=True, exist_ok=True)
    leads = target.joinpath(*Path(link).parts[1:])
    path.symlink_to(os.path.relpath(leads, path.parent) if relative else leads)
    before = state(target)
    with pytest.raises(Refused, match=r"a link to .*target") as caught:
        FOLDER_USES[use](checkout / ".unmoor" / "v1" / "dists" / "file")
    assert caught.value.where == str(path)
    assert caught.value.next_step.startswith(f"remove the link: rm {path}")
    assert state(target) == before


@pytest.mark.parametrize("leads", ["file", "v1", "nowhere", "."])
@pytest.mark.parametrize("use", [*USES, "remove"])
def test_a_file_that_is_a_link(checkout: Path, target: Path, leads: str, use: str) -> None:
    """A link to a file, to a folder, to nothing or to itself is refused."""
    path = checkout / ".unmoor" / "v1" / "file"
    path.parent.mkdir(parents=True)
    path.symlink_to("file" if leads == "." else target / leads)
    before = state(target)
    with pytest.raises(Refused, match="a link to"):
        FOLDER_USES[use](path)
    assert state(target) == before
    assert path.is_symlink()


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
@pytest.mark.parametrize("use", USES)
def test_no_file(checkout: Path, use: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file is refused without waiting for it."""
    path = checkout / ".unmoor" / "v1" / "file"
    path.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        monkeypatch.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("file")
    else:
        try:
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
        except OSError:
            pytest.skip("making a device takes root")
    with pytest.raises(Refused, match=f"a {kind} where"):
        USES[use](path)


@pytest.mark.parametrize("use", ["append", "lock"])
def test_a_hard_link_is_not_written_in_place(checkout: Path, target: Path, use: str) -> None:
    """A file with a second name elsewhere is refused where it would change there."""
    path = checkout / ".unmoor" / "v1" / "file"
    path.parent.mkdir(parents=True)
    path.hardlink_to(target / "file")
    with pytest.raises(Refused, match="another name"):
        USES[use](path)
    assert (target / "file").read_bytes() == b"theirs"


def test_a_hard_link_is_replaced(checkout: Path, target: Path) -> None:
    """A file that is replaced as a whole leaves its other name alone."""
    path = checkout / ".unmoor" / "v1" / "file"
    path.parent.mkdir(parents=True)
    path.hardlink_to(target / "file")
    write_atomic(path, b"ours")
    assert (path.read_bytes(), (target / "file").read_bytes()) == (b"ours", b"theirs")


@pytest.mark.parametrize("use", USES)
def test_links_above_are_followed(checkout: Path, tmp_path: Path, use: str) -> None:
    """The checkout may be reached by a link, and so may the folders above it."""
    make_folder(checkout / ".unmoor" / "v1")
    (checkout / ".unmoor" / "v1" / "file").write_bytes(b"")
    (tmp_path / "way").symlink_to(tmp_path)
    (tmp_path / "short").symlink_to("way/checkout")
    for above in (tmp_path / "short", tmp_path / "way" / "checkout"):
        USES[use](above / ".unmoor" / "v1" / "file")
        refuse_links(above)


def test_links_inside_are_removed_with_their_folder(checkout: Path, target: Path) -> None:
    """Removing a folder removes the links in it, and not what they lead to."""
    folder = checkout / ".unmoor" / "rehearsal" / "checkout"
    folder.mkdir(parents=True)
    (folder / "folder").symlink_to(target)
    (folder / "file").symlink_to(target / "file")
    before = state(target)
    remove(folder)
    remove(folder)
    assert (folder.exists(), state(target)) == (False, before)


@pytest.mark.parametrize("swapped", [".unmoor", ".unmoor/v1"])
@pytest.mark.parametrize("use", FOLDER_USES)
def test_a_link_that_is_put_there_afterwards(
    checkout: Path, target: Path, use: str, swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that takes the place of an open folder changes nothing elsewhere: the folder itself is used, or none."""
    make_folder(checkout / ".unmoor" / "v1" / "dists")
    (checkout / ".unmoor" / "v1" / "dists" / "file").write_bytes(b"ours")
    before = state(target)
    real = os.open

    def swap(name: str, *args: int, **named: int) -> int:
        handle = real(name, *args, **named)
        if str(name) == Path(swapped).name and not (checkout / swapped).is_symlink():
            (checkout / swapped).rename(checkout / "aside")
            (checkout / swapped).symlink_to(target.joinpath(*Path(swapped).parts[1:]))
        return handle

    monkeypatch.setattr(os, "open", swap)
    with suppress(Refused):
        FOLDER_USES[use](checkout / ".unmoor" / "v1" / "dists" / "file")
    assert (checkout / swapped).is_symlink()
    assert state(target) == before


PLANTED = {
    "folder": ".unmoor",
    "run folder": ".unmoor/v1",
    "files": ".unmoor/v1/dists",
    "one file": ".unmoor/v1/dists/x.whl",
    "manifest": ".unmoor/v1/manifest.json",
    "proofs": ".unmoor/v1/proofs",
    "lock": ".unmoor/v1/run.lock",
    "journal": ".unmoor/v1/journal.jsonl",
    "images": ".unmoor/v1/images.tar",
    "ignore": ".unmoor/.gitignore",
    "rehearsal": ".unmoor/rehearsal",
    "clone": ".unmoor/rehearsal/checkout",
    "world": ".unmoor/world/pypi/files",
    "another tag": ".unmoor/v0/assets/notes.md",
}


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
@pytest.mark.parametrize("at", PLANTED.values(), ids=PLANTED)
def test_refused_before_anything_is_done(checkout: Path, target: Path, at: str, kind: str) -> None:
    """A link or a pipe anywhere below the folder is found, and named."""
    path = checkout / at
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if kind == "link" else target / "nowhere")
    before = state(checkout), state(target)
    with pytest.raises(Refused) as caught:
        refuse_links(checkout)
    assert caught.value.where == str(path)
    assert ("a pipe" if kind == "pipe" else f"a link to {target}") in caught.value.what
    assert f"{'rm -r' if kind == 'pipe' else 'rm'} {path};" in caught.value.next_step
    assert (state(checkout), state(target)) == before


def test_what_is_fine(checkout: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, an ordinary one, the project's own links in the clone of a rehearsal, and a registry's socket."""
    refuse_links(checkout)
    clone = checkout / ".unmoor" / "rehearsal" / "checkout"
    (clone / ".unmoor").mkdir(parents=True)
    (clone / "docs").symlink_to(target)
    (checkout / ".unmoor" / "v1" / "dists").mkdir(parents=True)
    monkeypatch.chdir(checkout / ".unmoor" / "rehearsal")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    refuse_links(checkout)


def test_folders_that_are_nested_too_deep(checkout: Path) -> None:
    """A trap of nested folders is one message."""
    folder = checkout / ".unmoor"
    folder.joinpath(*["d"] * 100).mkdir(parents=True)
    with pytest.raises(Refused, match="nested"):
        refuse_links(checkout)


@pytest.mark.parametrize(
    ("of_checkout", "of_folder", "refused"), [(0, 0, False), (4321, 4321, False), (4321, 0, False), (0, 4321, True)]
)
@pytest.mark.parametrize("name", [".unmoor", ".unmoor/v1"])
def test_owners(checkout: Path, name: str, of_checkout: int, of_folder: int, *, refused: bool) -> None:
    """The folder belongs to this user, to root or to the owner of the checkout; somebody else could change it."""
    if os.geteuid() != 0:
        pytest.skip("giving folders away takes root")
    make_folder(checkout / ".unmoor" / "v1")
    shutil.chown(checkout, of_checkout)
    shutil.chown(checkout / name, of_folder)
    if not refused:
        refuse_links(checkout)
        return
    with pytest.raises(Refused, match="belongs to user 4321") as caught:
        refuse_links(checkout)
    assert caught.value.where == str(checkout / name)
