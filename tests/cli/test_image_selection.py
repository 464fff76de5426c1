"""Which commands ask a container engine at all: those that have to do with images on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import local_release, sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, LocalRelease

pytestmark = pytest.mark.journey  # whole commands, one after the other

OPTIONAL = "\n[[tool.unmoor.image]]\noptional = true\n"


@dataclass(frozen=True)
class SilentSocket:
    """A socket that an engine might listen on: nobody answers there, and whoever asks is noticed."""

    listening: socket.socket

    def was_asked(self) -> bool:
        """Whether anybody has connected since the last look."""
        asked = False
        while True:
            try:
                self.listening.accept()[0].close()
            except BlockingIOError:
                return asked
            asked = True


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentSocket]:
    """Let the environment name such an engine."""
    path = tmp_path / "engine.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen(16)
        listening.settimeout(0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield SilentSocket(listening)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LocalRelease]:
    """A project with an optional image in a world that has a registry for it."""
    files = sample_projects.files(
        "small-one", "1.0", more=SETTINGS.replace("test-command", "# test-command") + OPTIONAL
    )
    repo = Repo.new(tmp_path / "small", files | {"CHANGELOG.md": CHANGELOG, "Dockerfile": "FROM scratch\n"})
    repo.git("tag", "v1.0")
    with local_release.start_release(tmp_path, repo, registry=True) as release:
        yield release


def test_what_only_reads_asks_no_engine(place: LocalRelease, silent: SilentSocket) -> None:
    """Notes are words, and status compares what is public."""
    for command in (("notes", "v1.0"), ("status", "--world", str(place.world_file), "v1.0")):
        ran = place.unmoor(*command)
        assert ran.returncode == {"notes": 0, "status": 12}[command[0]], ran.stderr
        assert not silent.was_asked(), command
        assert "left out" not in ran.stderr


@pytest.mark.parametrize("platform", ["linux/nope", "", "../x"])
def test_a_platform_that_no_image_has(place: LocalRelease, platform: str) -> None:
    """It is told at once, beside one that is there too, and never just left out."""
    ran = place.release("--platform", "linux/amd64", "--platform", platform)
    assert ran.returncode == 3, ran.stderr
    assert f"no image is for the platform {platform!r}, only for linux/amd64" in ran.stderr
    assert not (place.repo.path / ".unmoor").exists()


def test_a_plan_asks_where_images_matter(place: LocalRelease, silent: SilentSocket) -> None:
    """An optional image is planned only where it could be built; without images there is nothing to ask."""
    plan = ("plan", "--world", str(place.world_file), "v1.0")
    silent.listening.shutdown(socket.SHUT_RDWR)
    assert "is optional, and left out" in place.unmoor(*plan).stderr
    settings = (place.repo.path / "pyproject.toml").read_text().replace(OPTIONAL, "")
    (place.repo.path / "Dockerfile").unlink()
    place.repo.commit({"pyproject.toml": settings})
    place.repo.git("tag", "--force", "v1.0")
    assert "left out" not in place.unmoor(*plan).stderr
