"""File systems that are mounted here: one that runs no programs, one that is read-only, and one that ignores case."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import mounts
from tests.support.folder_uses import FOLDER_USES, USES, state
from tests.support.git_repos import Repo

from unmoor.errors import Denied, from_os_error
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.safe_folder import make_folder, names_in, refuse_links
from unmoor.filesystem.temporary import sweep_temporary_folders, temporary_folder, why_elsewhere, why_unfit

assert sys.platform == "linux"

__test__ = mounts.can_mount()  # nothing is collected from this module where it is false
KINDS = ["noexec", *(["exfat"] if mounts.can_mount_exfat() else [])]
UNMOOR = (sys.executable, "-m", "unmoor")


@pytest.fixture(scope="module", params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mounted file system, by the name of its kind."""
    folder = tmp_path_factory.mktemp("mounted") / "Häfen und Schiffe"
    folder.mkdir()
    with mounts.exfat(folder) if request.param == "exfat" else mounts.tmpfs(folder, "noexec") as mounted:
        yield mounted


@pytest.fixture
def checkout(disk: Path) -> Path:
    """A folder of its own on the disk, for each test."""
    folder = disk / f"checkout {len(list(disk.iterdir()))}"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with a run folder and its files, which nothing can be written to any more."""
    folder = tmp_path_factory.mktemp("read-only")
    with mounts.tmpfs(folder, "rw") as mounted:
        repo = Repo.new(mounted / "project", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n'})
        make_folder(repo.path / ".unmoor" / "v1")
        (repo.path / ".unmoor" / "v1" / "file").write_bytes(b"ours")
        mounts.make_read_only(mounted)
        yield repo.path


def unmoor(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run([*UNMOOR, *args], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("use", FOLDER_USES)
def test_each_use_works(checkout: Path, use: str) -> None:
    """What unmoor does with its own files works there, in a path with blanks and umlauts."""
    folder = checkout / ".unmoor" / "v1"
    make_folder(folder)
    if use != "make":
        write_atomic(folder / "file", b"ours")
    FOLDER_USES[use](folder / "file")
    refuse_links(checkout)
    assert not [name for name in names_in(folder) if name.endswith(".part")]


@pytest.mark.parametrize("use", [*(each for each in USES if each not in {"read", "hash"}), "make", "remove", "rename"])
def test_nothing_is_written_to_a_read_only_disk(read_only: Path, use: str) -> None:
    """Each use that writes is one clear error that names the whole path, and leaves all as it was."""
    path = read_only / ".unmoor" / "v1" / ("new" if use == "make" else "file")
    before = state(read_only / ".unmoor")
    with pytest.raises(OSError, match="Read-only") as caught:
        FOLDER_USES[use](path)
    error = from_os_error(caught.value)
    assert isinstance(error, Denied)
    assert error.next_step.ids == ("use-writable-disk",)
    assert state(read_only / ".unmoor") == before


def test_a_read_only_checkout_can_be_read(read_only: Path) -> None:
    """What only reads works, and a rehearsal says in one message why it does not."""
    assert read_regular(read_only / ".unmoor" / "v1" / "file", 10) == b"ours"
    refuse_links(read_only)
    ran = unmoor(read_only, "rehearse")
    assert ran.returncode == Denied.exit_code, ran.stderr
    assert (
        ran.stderr.splitlines()[0] == f"error: {read_only}/.unmoor/rehearsal: cannot write there: Read-only file system"
    )
    assert "Traceback" not in ran.stderr


def test_a_temporary_folder(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be made, held, swept and removed there; builds in it cannot work, and the reason is given before."""
    top = disk / "tmp"
    top.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(top))
    (top / "unmoor-tmp-0123456789abcdef").mkdir()
    with temporary_folder() as folder:
        (folder / "file").touch()
        sweep_temporary_folders()
        assert list(top.iterdir()) == [folder.parent]
    assert list(top.iterdir()) == []
    assert why_unfit().startswith(f"temporary files are in {top}, where ")
    assert why_unfit().endswith(("(it is mounted noexec)", "links cannot be made"))
    assert list(top.iterdir()) == []


def test_a_wanted_folder_that_cannot_be_written(
    read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python uses another one and does not say so, so unmoor does."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert why_elsewhere({"TMPDIR": str(tmp_path), "TEMP": str(read_only)}) == ""
    assert why_elsewhere({}) == ""
    for name in ("TMPDIR", "TEMP", "TMP"):
        assert why_elsewhere({name: str(read_only)}) == (
            f"{name} is {read_only}, where no file can be written; temporary files are in {tmp_path}"
        )
    assert why_unfit() == ""
