"""The demo is what a newcomer runs first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.engines import TestEngine, base_image, engine, require_programs
from tests.support.systems import linux

pytestmark = linux  # examples/demo.sh uses docker/engine.sh

__all__ = ["base_image", "engine"]
ROOT = Path(__file__).parents[2]
PATIENCE = 280


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a temporary folder with a short path, as users have: pytest's are as long as a socket's path may be."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


def _run(folder: Path, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [ROOT / "examples" / "demo.sh"],
        cwd=folder,
        env={**os.environ, "PATH": path, "TMPDIR": str(folder), **more},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "v1.0.0rc1 is complete" in ran.stderr
    assert "v1.0.0 is complete" in ran.stderr
    assert "Fl(2) 10s  |█  █                |  Eddystone" in ran.stdout
    assert list(folder.iterdir()) == []
    return ran


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE + 20)
def test_the_demo_releases_twice_and_leaves_nothing(folder: Path) -> None:
    """Without an engine both releases are complete, they skip the images with a warning, and no file is left."""
    ran = _run(folder, {"DOCKER_HOST": "unix:///nowhere"})
    assert "No engine answers" in ran.stdout
    assert "skipping the optional image ghcr.io/keepers/lighthouse-demo" in ran.stderr
    assert "docker pull" not in ran.stderr


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE + 20)
@pytest.mark.usefixtures("base_image")
def test_the_demo_releases_images_where_there_is_an_engine(engine: TestEngine, folder: Path) -> None:
    """With an engine the image is pulled by its floating tag and run, and no image of the demo is left."""
    require_programs("docker-registry")
    ran = _run(folder, engine.environ)
    assert "Fl 5s  |█         |  Fastnet" in ran.stdout
    assert "keepers/lighthouse-demo" not in engine.docker("image", "ls")
