"""The demo is what a newcomer runs first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.journey
def test_the_demo_releases_twice_and_leaves_nothing(tmp_path: Path) -> None:
    """It ends with both releases complete on every surface, and with no file of its own left."""
    scripts = Path(sys.executable).parent
    ran = subprocess.run(
        [ROOT / "examples" / "demo.sh"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "v1.0.0rc1 is complete" in ran.stderr
    assert "v1.0.0 is complete" in ran.stderr
    assert "Fl(2) 10s  |█  █                |  Eddystone" in ran.stdout
    assert list(tmp_path.iterdir()) == []
