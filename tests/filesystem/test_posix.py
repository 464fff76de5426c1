"""The part for Linux and macOS, where they differ."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from unmoor.filesystem.system import here

assert sys.platform != "win32"

WHOLE = 51
"""F_FULLFSYNC, which only macOS has."""


@pytest.mark.parametrize(
    ("number", "fails", "calls"),
    [(None, False, ["fsync"]), (WHOLE, False, [WHOLE]), (WHOLE, True, [WHOLE, "fsync"])],
    ids=["linux", "macos", "macos-share"],
)
def test_what_reaches_the_disk(
    number: int | None, calls: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """On macOS, fsync leaves bytes in the cache of the disk, so another call comes first where it works."""
    done: list[object] = []

    def control(_: int, command: int) -> None:
        done.append(command)
        if fails:
            raise OSError(errno.ENOTSUP, "not here")

    monkeypatch.setattr("unmoor.filesystem.posix._WHOLE_SYNC", number)
    monkeypatch.setattr("fcntl.fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    with (tmp_path / "file").open("wb") as stream:
        here().sync(stream.fileno())
    assert done == calls
