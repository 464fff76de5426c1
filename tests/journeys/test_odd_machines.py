"""Releases on machines that lack something ordinary: a clear error, or a normal release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
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


# The command line, with a journal that takes no line from the first one on that contains these words.
_FULL_FROM = """
import errno, sys
from unmoor.cli import main
from unmoor.core.journal import FileJournal

event, stage = sys.argv.pop(1).encode().split()
append, full = FileJournal._append, False

def append_or_fail(self, line):
    global full
    full = full or b'"event":"%b"' % event in line and (b'"stage":"%b"' % stage in line or b'"%b"' % stage == b'"run"')
    if full:
        raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
    append(self, line)

FileJournal._append = append_or_fail
main()
"""


@pytest.mark.parametrize(
    ("first", "code", "files"),
    [("ended draft", 13, 0), ("begins pypi", 13, 2), ("ended pypi", 0, 4), ("begins verify", 0, 4)],
)
def test_a_journal_that_cannot_be_written(tmp_path: Path, first: str, code: int, files: int) -> None:
    """Before the point of no return the run stops and says what is out; after it the release is completed."""
    with local_release.start_release(tmp_path) as place:
        command = (sys.executable, "-c", _FULL_FROM, first, "release", "--world", str(place.world_file), "v1.0")
        ran = subprocess.run(command, cwd=place.repo.path, capture_output=True, text=True, check=False, timeout=60)
        assert (ran.returncode, len(place.stored())) == (code, files), ran.stderr
        if code == 0:
            assert ran.stderr.count("the journal cannot be written (No space left on device: ") == 1
            assert "rehearsal passed: every surface holds v1.0" in ran.stderr
        else:
            assert re.findall(r"(?m)^(\S+) failed$", ran.stderr) == [first.split()[1]]
            out, _, rest = ran.stderr.partition("already uploaded or published:\n")[2].partition("not reached: ")
            assert "draft: " in out
            assert ("testpypi: 2 files" in out) == (files == 2)
            assert "undraft" in rest.partition("\n")[0]
            assert rest.partition("\n")[2].startswith(f"then:  unmoor release --world {place.world_file} v1.0")
        assert place.release().returncode == 0
        assert len(place.stored()) == 4


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    """The release is complete, its last lines are there, and the exit code says that something is missing."""
    with local_release.start_release(tmp_path) as place, Path("/dev/full").open("w") as full:
        command = [str(UNMOOR), "release", "--world", str(place.world_file), "v1.0"]
        env = os.environ | {"GITHUB_STEP_SUMMARY": "/dev/full", "GITHUB_ACTIONS": "true"}
        ran = subprocess.run(
            command,
            cwd=place.repo.path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 13
        ending = ran.stderr.partition("rehearsal passed: every surface holds v1.0")[2]
        for place_of_it in ("the standard output", "the summary or the outputs of the job"):
            assert f"error: {place_of_it}: cannot write a file: No space left on device" in ending
        assert "Traceback" not in ran.stderr
        assert place.status().returncode == 0


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
