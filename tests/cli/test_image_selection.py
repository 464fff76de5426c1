"""Only commands that build or inspect images on this machine contact a container engine."""

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

pytestmark = pytest.mark.journey  # each test runs several whole commands

OPTIONAL = "\n[[tool.unmoor.image]]\noptional = true\n"


@dataclass(frozen=True)
class SilentSocket:
    """A socket in place of an engine's. Nothing answers there, but connections are noticed."""

    listening: socket.socket

    def was_contacted(self) -> bool:
        """Whether there was a connection since the last call."""
        contacted = False
        while True:
            try:
                self.listening.accept()[0].close()
            except BlockingIOError:
                return contacted
            contacted = True


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentSocket]:
    """Name a silent socket as the engine in the environment."""
    path = tmp_path / "engine.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen(16)
        listening.settimeout(0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield SilentSocket(listening)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LocalRelease]:
    """A project with an optional image, in a world with a registry for it."""
    files = sample_projects.files(
        "small-one", "1.0", more=SETTINGS.replace("test-command", "# test-command") + OPTIONAL
    )
    repo = Repo.new(tmp_path / "small", files | {"CHANGELOG.md": CHANGELOG, "Dockerfile": "FROM scratch\n"})
    repo.git("tag", "v1.0")
    with local_release.start_release(tmp_path, repo, registry=True) as release:
        yield release


def test_notes_and_status_contact_no_engine(place: LocalRelease, silent: SilentSocket) -> None:
    """Notes are text, and status compares what is published."""
    for command in (("notes", "v1.0"), ("status", "--world", str(place.world_file), "v1.0")):
        ran = place.unmoor(*command)
        assert ran.returncode == {"notes": 0, "status": 12}[command[0]], ran.stderr
        assert not silent.was_contacted(), command
        assert "skipping" not in ran.stderr


@pytest.mark.parametrize("platform", ["linux/nope", "", "../x"])
def test_a_platform_that_no_image_has(place: LocalRelease, platform: str) -> None:
    """An unknown platform is an error, even beside a known one."""
    ran = place.release("--platform", "linux/amd64", "--platform", platform)
    assert ran.returncode == 3, ran.stderr
    assert f"no image has the platform {platform!r}; the platforms are linux/amd64" in ran.stderr
    assert not (place.repo.path / ".unmoor").exists()


def test_a_plan_contacts_an_engine_only_for_images(place: LocalRelease, silent: SilentSocket) -> None:
    """An optional image is planned only if it could be built. Without images no engine is needed."""
    plan = ("plan", "--world", str(place.world_file), "v1.0")
    silent.listening.shutdown(socket.SHUT_RDWR)
    assert "skipping the optional image ghcr.io/" in place.unmoor(*plan).stderr
    settings = (place.repo.path / "pyproject.toml").read_text().replace(OPTIONAL, "")
    (place.repo.path / "Dockerfile").unlink()
    place.repo.commit({"pyproject.toml": settings})
    place.repo.git("tag", "--force", "v1.0")
    assert "skipping" not in place.unmoor(*plan).stderr
