"""A release with images by podman, with its own builder, archives and registry access."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.test_images import digest, project, release, start_image_release
from tests.support.engines import TestEngine, podman, require_programs  # noqa: F401 - the fixture

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

SMOKE = """
[[tool.unmoor.image.smoke]]
name = "a word"
run = ["echo", "ahoy"]
entrypoint = "/bin/busybox"
expect = "ahoy"
"""


def test_podman_releases_images(tmp_path: Path, podman: TestEngine) -> None:  # noqa: F811 - the fixture
    """Images are built, inspected, run, pushed, pulled back and tagged; a second run finds everything."""
    require_programs("busybox")
    repo = project(tmp_path / "small", "scratch")
    (repo.path / "pyproject.toml").write_text((repo.path / "pyproject.toml").read_text() + SMOKE)
    shutil.copy(shutil.which("busybox") or "", repo.path / "busybox")
    text = (repo.path / "Dockerfile").read_text()
    repo.commit({"Dockerfile": text.replace("COPY dist/", "COPY busybox /bin/busybox\nCOPY dist/")})
    repo.git("tag", "--force", "v1.0")
    with start_image_release(tmp_path, repo) as place:
        ran = release(place, "v1.0", podman)
        assert ran.returncode == 0, ran.stderr
        assert "building with podman" in ran.stderr
        assert digest(place, "v1.0").startswith("sha256:")
        assert {digest(place, tag) for tag in ("1.0", "1", "latest")} == {digest(place, "v1.0")}
        assert digest(place, "v1.0-dev") not in {"", digest(place, "v1.0")}
        again = release(place, "v1.0", podman)
        assert again.returncode == 0, again.stderr
        assert "building with" not in again.stderr


def test_a_dockerfile_that_podman_cannot_build(tmp_path: Path, podman: TestEngine) -> None:  # noqa: F811 - the fixture
    """The error has the line of the Dockerfile, and nothing was sent."""
    repo = project(tmp_path / "small", "scratch")
    repo.commit({"Dockerfile": "FROM scratch AS development\n\nCOPY nothing /\nFROM development AS production\n"})
    repo.git("tag", "--force", "v1.0")
    with start_image_release(tmp_path, repo) as place:
        ran = release(place, "v1.0", podman)
        assert ran.returncode == 6, ran.stderr
        assert "Dockerfile, line 3" in ran.stderr
        assert place.stored() == []
