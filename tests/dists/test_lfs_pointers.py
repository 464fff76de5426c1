"""Pointers of git-lfs are found by their first line, in every folder but git's own."""

from __future__ import annotations

from pathlib import Path

from unmoor.dists.lfs_pointers import pointers

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


def test_pointers(tmp_path: Path) -> None:
    """A pointer is a short file that begins as one; larger files and the files of git do not count."""
    for folder in ("data", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.bin").write_bytes(POINTER)
    (tmp_path / "app.bin").write_bytes(POINTER)
    (tmp_path / "long.txt").write_bytes(POINTER + b"x" * 1024)
    (tmp_path / "plain.txt").write_bytes(b"no pointer\n")
    assert pointers(tmp_path) == ["app.bin", "data/model.bin"]
