"""Temporary folders end with their run, and those of killed runs with the next one."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.syntax import nodes

import unmoor
from unmoor.filesystem.temporary import sweep_temporary_folders, temporary_folder

assert sys.platform != "win32"  # pipes and user ids

_HOLDS = """
import os, sys, time
from unmoor.filesystem.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "work" / "deep").mkdir(parents=True)
    (folder / "work" / "deep" / "file").touch()
    (folder / "work" / "deep").chmod(0)
    (folder / "out").symlink_to(sys.argv[1])
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def test_a_folder_ends_with_its_block(top: Path) -> None:
    """It is empty, only its owner can enter, and nothing is left, whatever a program did to it."""
    with temporary_folder() as folder:
        assert list(folder.iterdir()) == []
        assert (folder.parent.stat().st_mode | folder.stat().st_mode) & 0o77 == 0
        (folder / "closed").mkdir()
        (folder / "closed" / "file").touch()
        (folder / "closed").chmod(0)
    assert list(top.iterdir()) == []


def test_only_the_folders_of_dead_runs_are_swept(top: Path, tmp_path: Path) -> None:
    """A folder stays as long as its process lives, and goes after ``kill -9``. What a link in it leads to stays."""
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(outside)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(top)},
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        (held,) = top.iterdir()
        sweep_temporary_folders()
        assert list(top.iterdir()) == [held]
        holder.kill()
    sweep_temporary_folders()
    assert list(top.iterdir()) == []
    assert (outside / "kept").is_dir()


def of_a_living_run(path: Path) -> None:
    """A folder that is not locked yet has another name."""
    path.with_name(".unmoor-new-abcdefgh").mkdir()


@pytest.mark.parametrize(
    "put",
    [
        of_a_living_run,
        lambda path: path.with_name("unmoor-tmp-notes").mkdir(),
        lambda path: path.with_name("unmoor-notes").mkdir(),
        lambda path: path.touch(),
        lambda path: path.symlink_to(path.parent.parent),
        os.mkfifo,
    ],
)
def test_what_is_not_ours_is_not_swept(top: Path, put: Callable[[Path], object]) -> None:
    """Only folders with the whole name count, no file and no link."""
    put(top / "unmoor-tmp-0123456789abcdef")
    before = sorted(top.iterdir())
    sweep_temporary_folders()
    assert sorted(top.iterdir()) == before


def test_folders_of_other_users_are_not_swept(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could remove them, but does not."""
    (top / "unmoor-tmp-0123456789abcdef").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    sweep_temporary_folders()
    assert len(list(top.iterdir())) == 1


def test_every_temporary_folder_is_locked() -> None:
    """No other module makes one, since nobody would remove it after a kill."""
    makers = []
    for path in Path(inspect.getfile(unmoor)).parent.rglob("*.py"):
        calls = (node for node in nodes(path) if isinstance(node, ast.Attribute))
        makers += [path.name for call in calls if call.attr in {"TemporaryDirectory", "mkdtemp"}]
    assert set(makers) == {"temporary.py"}
