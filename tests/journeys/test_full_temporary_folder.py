"""A full folder for temporary files is this machine's fault, whoever meets it: exit code 13, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import mounts
from tests.support.killed_releases import repo_of_versions

assert sys.platform == "linux"

__test__ = mounts.can_mount()  # nothing is collected from this module where it is false


@pytest.mark.journey
@pytest.mark.parametrize(
    ("kilobytes", "command"),
    [
        (16, ("rehearse",)),  # git meets it
        (400, ("rehearse",)),  # uv, or the build backend
        (4, ("init", "--check")),
    ],
    ids=lambda each: str(each) if isinstance(each, int) else each[0],
)
def test_a_full_temporary_folder(tmp_path: Path, kilobytes: int, command: tuple[str, ...]) -> None:
    """With room for nothing, or for a clone and a part of an environment."""
    repo = repo_of_versions(tmp_path / "small", ["1.0"])
    (tmp_path / "full").mkdir()
    with mounts.tmpfs(tmp_path / "full", f"size={kilobytes}k") as full:
        env = {**os.environ, "TMPDIR": str(full), "XDG_STATE_HOME": str(tmp_path / "state")}
        ran = subprocess.run(
            [sys.executable, "-m", "unmoor", *command],
            cwd=repo.path,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ran.returncode == 13, ran.stderr
    assert "no disk space is left" in ran.stderr or "No space left on device" in ran.stderr
    # What a build backend says stands indented below the error.
    assert not [line for line in ran.stderr.splitlines() if line.startswith("Traceback")]
