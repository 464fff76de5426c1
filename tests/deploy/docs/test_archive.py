"""Archives of pages: the same bytes for the same pages, and nothing but plain files."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.deploy.docs import archive
from unmoor.deploy.docs.archive import archive_name, pack, page_fault, pages_of, tree_of, unpack
from unmoor.errors import BuildFailed, Unknown

NAME = "tide-1.2-docs.tar.gz"


def site(folder: Path) -> Path:
    """A small site, with what Sphinx leaves for itself."""
    for name, text in {"index.html": "<p>", "a/b.html": "b", ".buildinfo": "x", ".doctrees/d": "x"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_the_same_pages_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither times nor the order on the disk nor leftovers of the builder matter, and reading gives the pages."""
    first, second = tmp_path / "1" / NAME, tmp_path / "2" / NAME
    pack(pages_of(site(tmp_path / "a")), first, 1_700_000_000)
    other = site(tmp_path / "b")
    os.utime(other / "index.html", (1, 1))
    (other / ".buildinfo").write_text("another", "utf-8")
    pack(pages_of(other), second, 1_700_000_000)
    (tmp_path / "out").mkdir()

    assert first.read_bytes() == second.read_bytes()
    assert unpack(first, tmp_path / "out") == 2
    assert (tmp_path / "out" / "a" / "b.html").read_text("utf-8") == "b"
    assert tree_of(first) == tree_of(second)
    assert tree_of(first)[1] == 2


def test_the_name_is_that_of_other_files_of_the_release() -> None:
    """The name of the project is written as in the names of wheels."""
    assert archive_name("Tide.Table", "1.2rc1") == "tide_table-1.2rc1-docs.tar.gz"


def _without_index(folder: Path) -> None:
    (folder / "index.html").unlink()


def _with_git(folder: Path) -> None:
    (folder / "x" / ".Git").mkdir(parents=True)
    (folder / "x" / ".Git" / "config").write_text("", "utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [(_without_index, "no index.html"), (_with_git, "git keeps for itself")],
    ids=["no-index", "git"],
)
def test_pages_that_nobody_can_publish(tmp_path: Path, change: Callable[[Path], None], said: str) -> None:
    """The message names the file or what is missing, before anything is packed."""
    folder = site(tmp_path)
    change(folder)

    with pytest.raises(BuildFailed, match=said):
        pages_of(folder)


@posix
@pytest.mark.parametrize("target", ["index.html", "/etc", "gone"])
def test_links_are_refused(tmp_path: Path, target: str) -> None:
    """A link could lead out of the site, and hosts treat links differently."""
    folder = site(tmp_path)
    (folder / "link").symlink_to(target)

    with pytest.raises(BuildFailed, match="link is a symbolic link"):
        pages_of(folder)


@pytest.mark.parametrize(("limit", "value"), [("LARGEST_FILE", 1), ("MOST_FILES", 1), ("MOST_BYTES", 2)])
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """Sizes that the host would refuse are refused before anything is sent."""
    monkeypatch.setattr(archive, limit, value)

    with pytest.raises(BuildFailed, match="cannot be published"):
        pages_of(site(tmp_path))


@pytest.mark.parametrize(
    "path", ["", "a//b", "../a", "a/./b", "a\\b", "a\nb", ".git/config", "a/.GIT ", "git~1", "a/" * 70 + "a", "x" * 256]
)
def test_names_that_lead_elsewhere(path: str) -> None:
    """No such name is packed, unpacked or pushed."""
    assert page_fault(path)


def _tar(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "x"
            packed.addfile(info, io.BytesIO(b""))
    return path


@pytest.mark.parametrize(
    "members",
    [
        [("../x", tarfile.REGTYPE)],
        [("tide-1.2-docs/../x", tarfile.REGTYPE)],
        [("other/x", tarfile.REGTYPE)],
        [("tide-1.2-docs/x", tarfile.SYMTYPE)],
        [("tide-1.2-docs/x", tarfile.REGTYPE), ("tide-1.2-docs/x", tarfile.REGTYPE)],
    ],
    ids=["above", "inside-above", "elsewhere", "link", "twice"],
)
def test_archives_of_others_are_not_unpacked(tmp_path: Path, members: list[tuple[str, bytes]]) -> None:
    """An archive that unmoor does not write is refused, and nothing of it is written elsewhere."""
    (tmp_path / "out").mkdir()

    with pytest.raises(Unknown, match="does not belong there"):
        unpack(_tar(tmp_path / NAME, *members), tmp_path / "out")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b\x08\x00"], ids=["empty", "text", "cut"])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    """A broken file is one clear message."""
    (tmp_path / NAME).write_bytes(data)

    with pytest.raises(Unknown, match="no archive of pages"):
        tree_of(tmp_path / NAME)
