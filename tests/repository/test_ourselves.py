"""unmoor rehearses its own release: this commit, with its wheel and the images of its Dockerfile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.engines import TestEngine, base_image, engine, require_programs

__all__ = ["base_image", "engine"]
ROOT = Path(__file__).parents[2]
TAG = "v99.0.0"
# The whole suite would run within itself; that it passes on the wheel is shown by a rehearsal by hand.
COMMAND = re.compile(r"^test-command = .*$", re.MULTILINE)
_FILES = "{project}/tests/versioning/test_tag_scheme.py {project}/tests/util/test_text.py"
SHORT = f"test-command = 'pytest -q -p no:cacheprovider {_FILES}'"


@pytest.mark.journey
@pytest.mark.timeout(600)
def test_unmoor_releases_itself(tmp_path: Path, engine: TestEngine, base_image: str) -> None:
    """Every stage passes with the settings of this repository, and both images are on the registry.

    Its smoke commands show that an image has the version of the wheel, finds git, and does not run as root.
    """
    del base_image
    require_programs("docker-registry")
    settings, found = COMMAND.subn(SHORT, (ROOT / "pyproject.toml").read_text())
    assert found == 1
    (tmp_path / "pyproject.toml").write_text(settings)
    checkout = tmp_path / "unmoor"
    command: list[str | Path] = ["git", "clone", "--quiet", ROOT, checkout]
    subprocess.run(command, check=True, capture_output=True)
    ran = subprocess.run(
        [sys.executable, "-m", "unmoor", "rehearse", "--config", tmp_path / "pyproject.toml", TAG],
        cwd=checkout,
        env={**os.environ, **engine.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert ran.returncode == 0, ran.stderr
    for word in (f"unmoor-{TAG[1:]}-py3-none-any.whl", f"unmoor-{TAG[1:]}.tar.gz", f"{TAG}-dev", "99.0-dev", "latest"):
        assert word in ran.stdout
