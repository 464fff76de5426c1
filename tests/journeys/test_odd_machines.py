"""Releases on machines that lack something ordinary: a clear error, or a normal release."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import local_release
from tests.support.git_repos import Repo
from tests.support.local_release import UNMOOR, LocalRelease

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    """A disk of this size in bytes, mounted in a folder."""
    at.mkdir(parents=True)
    ran = subprocess.run(
        [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)],
        check=False,
        capture_output=True,
    )
    if ran.returncode != 0:
        pytest.skip("no disk can be mounted here: that takes root and a kernel that lets it")
    try:
        yield at
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(at)], check=True)


def elsewhere(place: LocalRelease, name: str) -> LocalRelease:
    """The same project in a clone with another folder name."""
    folder = place.world.parent / name
    place.repo.git("clone", "--quiet", str(place.repo.path), str(folder))
    return LocalRelease(repo=Repo(folder), world=place.world)


def test_temporary_files_on_another_disk(tmp_path: Path) -> None:
    """A release with temporary files on another disk succeeds, and leaves nothing there."""
    with small_disk(tmp_path / "memory", "200m") as memory, local_release.start_release(tmp_path) as place:
        ran = place.unmoor("release", "--world", str(place.world_file), "v1.0", env={"TMPDIR": str(memory)})
        assert ran.returncode == 0, ran.stderr
        assert list(memory.iterdir()) == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A full disk is a clear error, and nothing is sent; with space the same command releases."""
    with local_release.start_release(tmp_path) as place:
        with small_disk(place.repo.path / ".unmoor", "16k"):
            ran = place.release()
            assert ran.returncode == 13, ran.stderr
            assert "cannot write a file: No space left on device" in ran.stderr
            assert "unmoor itself failed" not in ran.stderr
            assert place.stored() == []
        again = place.release()
        assert again.returncode == 0, again.stderr


def test_a_path_with_spaces_and_other_letters_and_no_home(tmp_path: Path) -> None:
    """The folder's name, the C locale, a missing HOME and a narrow terminal do not matter."""
    with local_release.start_release(tmp_path) as place:
        odd = elsewhere(place, "a schöne Yacht")
        env = {name: value for name, value in os.environ.items() if name not in {"HOME", "LC_ALL"}}
        ran = subprocess.run(
            [str(UNMOOR), "release", "--world", str(place.world_file), "v1.0"],
            cwd=odd.repo.path,
            env={**env, "LANG": "C", "LC_ALL": "C", "COLUMNS": "20"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="strict",
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        assert odd.release().returncode == 0
