"""The folder of a round is a copy of what was built once, and changing one changes no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.filesystem.safe_folder import OWN
from unmoor.rehearsal.chaos.folders import BASE, WorldFolder, copy_base, read_from, size_of


@pytest.fixture
def base(tmp_path: Path) -> WorldFolder:
    """A folder as `unmoor rehearse --chaos` prepares it."""
    folder = WorldFolder(tmp_path / BASE, "v1.0")
    files = {
        folder.remote / "objects/aa/b": "an object",
        folder.checkout / ".git/objects/aa/b": "an object",
        folder.checkout / "objects/data.txt": "of the project",
        folder.run / "manifest.json": "{}",
        folder.state / "unmoor/documents/a.jsonl": "noted",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder.checkout / "link").symlink_to("objects")
    return folder


@pytest.mark.parametrize("built", [True, False])
def test_a_round_gets_a_copy(base: WorldFolder, *, built: bool) -> None:
    """The run folder and the notes about it come along only if the round begins with what was built."""
    to = WorldFolder.of_round(base.path.parent, 3, base)
    copy_base(base, to, built=built)
    assert to.path.name == "round-3"
    assert (to.run / "manifest.json").exists() is built
    assert (to.checkout / OWN).exists() is built
    assert (to.state / "unmoor").exists() is built
    assert (to.checkout / "link").is_symlink()
    assert (to.remote / "objects/aa/b").read_text("utf-8") == "an object"


def test_only_objects_of_git_are_shared(base: WorldFolder) -> None:
    """Git never changes an object. A file of the project may be changed, even one in a folder of that name."""
    to = WorldFolder.of_round(base.path.parent, 1, base)
    copy_base(base, to, built=True)
    shared = {
        str(path.relative_to(to.path)) for path in to.path.rglob("*") if path.is_file() and path.stat().st_nlink > 1
    }
    assert shared == {"remote.git/objects/aa/b", "checkout/.git/objects/aa/b"}


def test_a_file_is_read_from_where_it_was_left(tmp_path: Path) -> None:
    """A run is judged by what it added to a log; a log that does not exist has nothing."""
    log = tmp_path / "requests.jsonl"
    assert (size_of(log), read_from(log, 0, 100)) == (0, b"")
    log.write_bytes(b"one\ntwo\n")
    assert (size_of(log), read_from(log, 4, 100), read_from(log, 4, 2)) == (8, b"two\n", b"tw")
