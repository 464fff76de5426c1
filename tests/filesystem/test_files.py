"""Files that are put beside others, and what a disk keeps of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.systems import posix

from unmoor.filesystem.files import keeps_executable_bits, link_or_copy, set_plain_mode, share_or_copy


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(None, marks=posix),  # few users of Windows may make links
        OSError(errno.EINVAL, "A required privilege is not held by the client"),  # Windows: winerror 1314
        OSError(errno.EPERM, "Operation not permitted"),  # vfat
        OSError(errno.ENOSYS, "Function not implemented"),
    ],
    ids=["links", "Windows", "vfat", "no such call"],
)
@pytest.mark.parametrize("what", ["data", "data/one.txt"])
def test_a_link_or_else_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError | None, what: str
) -> None:
    """Where no links can be made, the target holds the same as the link would lead to."""
    (tmp_path / "data" / "below").mkdir(parents=True)
    for name in ("data/one.txt", "data/below/two.txt"):
        (tmp_path / name).write_bytes(name.encode())

    def refuse(*_: object, **__: object) -> None:
        assert refusal is not None
        raise refusal

    if refusal is not None:
        monkeypatch.setattr(Path, "symlink_to", refuse)
    link_or_copy(tmp_path / what, tmp_path / "target")
    assert (tmp_path / "target").is_symlink() is (refusal is None)
    held = tmp_path / "target" if what.endswith(".txt") else tmp_path / "target" / "below" / "two.txt"
    assert held.read_bytes() == (b"data/one.txt" if what.endswith(".txt") else b"data/below/two.txt")


@pytest.mark.parametrize("number", [errno.EEXIST, errno.EACCES, errno.ENOSPC])
def test_other_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A copy would fail as well, or replace what is there."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(OSError, match="no"):
        link_or_copy(tmp_path, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("shown", "refused", "expected"),
    [
        ({0o700: 0o700, 0o600: 0o600}, False, True),
        ({0o700: 0o666, 0o600: 0o666}, False, False),
        ({0o700: 0o755, 0o600: 0o755}, True, False),
        ({0o700: 0o777, 0o600: 0o777}, False, False),
    ],
    ids=["ext4", "Windows", "vfat", "/mnt/c"],
)
def test_whether_a_disk_keeps_executable_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: dict[int, int], *, refused: bool, expected: bool
) -> None:
    """It is tried with a file, because no system says it of a disk. Nothing is left of the file."""
    modes: list[int] = []

    def chmod(_: Path, mode: int) -> None:
        modes.append(mode)
        if refused:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", chmod)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: SimpleNamespace(st_mode=0o100000 | shown[modes[-1]]))
    assert keeps_executable_bits(tmp_path) is expected
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "mode", "plain"),
    [("file", 0o600, 0o644), ("file", 0o664, 0o644), ("file", 0o700, 0o755), ("folder", 0o700, 0o755)],
)
@pytest.mark.parametrize("time", [None, 315_532_800.0])
@posix
def test_plain_modes(tmp_path: Path, kind: str, mode: int, plain: int, time: float | None) -> None:
    """Who may write or execute is what git records, and the time stays unless another is given."""
    path = tmp_path / "it"
    path.mkdir() if kind == "folder" else path.touch()
    path.chmod(mode)
    os.utime(path, (1e9, 1e9))
    set_plain_mode(path, time=time)
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (plain, 1e9 if time is None else time)


@posix
def test_a_link_gets_a_time_only(tmp_path: Path) -> None:
    """What a link leads to stays as it is."""
    (tmp_path / "file").touch(0o600)
    os.utime(tmp_path / "file", (1e9, 1e9))
    (tmp_path / "link").symlink_to("file")
    set_plain_mode(tmp_path / "link", time=315_532_800.0)
    assert (tmp_path / "link").lstat().st_mtime == 315_532_800.0
    assert ((tmp_path / "file").stat().st_mode & 0o777, (tmp_path / "file").stat().st_mtime) == (0o600, 1e9)


def test_a_file_gets_a_second_name_or_a_copy(tmp_path: Path) -> None:
    """Either has the same bytes, also where another file had the name."""
    (tmp_path / "object").write_bytes(b"never changed")
    share_or_copy(tmp_path / "object", tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == b"never changed"
    (tmp_path / "third").write_bytes(b"other")
    share_or_copy(tmp_path / "object", tmp_path / "third")
    assert (tmp_path / "third").read_bytes() == b"never changed"
