"""One run at a time: a lock is held once, and a file system without locks is not another run."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from unmoor.errors import Refused, ToolMissing
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.system import here


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    """The second run stops at once, with the process that holds it, and the next one goes on after its end."""
    with exclusive_lock(tmp_path) as is_there:
        assert is_there()
        with pytest.raises(Refused, match=rf"process {os.getpid()}\)"), exclusive_lock(tmp_path):
            pass
        (tmp_path / "run.lock").rename(tmp_path / "moved")
        assert not is_there()
    with exclusive_lock(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as the reason, and nobody looks for another run."""

    def lock(_: int) -> bool:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(here(), "lock", lock)
    with pytest.raises(ToolMissing, match="cannot lock files") as caught, exclusive_lock(tmp_path):
        pass
    assert caught.value.where == str(tmp_path)
    assert caught.value.next_step.ids == ("use-local-disk",)
