"""Only commands that build or inspect images on this machine contact a container engine; some systems have none.

The journeys run several whole commands each.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support import local_release, sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, LocalRelease

from unmoor.cli.image_selection import ImageSelection, refuse_unused_legs, skip_unbuildable, with_registries_of
from unmoor.config.images import ImageSettings
from unmoor.config.real_world import real_world
from unmoor.core.events import LeftOut
from unmoor.errors import ToolMissing
from unmoor.ports.system import LINUX, MACOS, WINDOWS, System
from unmoor.util.values import replace

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
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentSocket]:
    """Name a silent socket as the engine in the environment."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=16)) as listening:
        listening.settimeout(0)
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{listening.getsockname()[1]}")
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


@pytest.mark.journey
def test_notes_and_status_contact_no_engine(place: LocalRelease, silent: SilentSocket) -> None:
    """Notes are text, and status compares what is published."""
    for command in (("notes", "v1.0"), ("status", "--world", str(place.world_file), "v1.0")):
        ran = place.unmoor(*command)
        assert ran.returncode == {"notes": 0, "status": 12}[command[0]], ran.stderr
        assert not silent.was_contacted(), command
        assert "skipping" not in ran.stderr


@pytest.mark.journey
@pytest.mark.parametrize("platform", ["linux/nope", "", "../x"])
def test_a_platform_that_no_image_has(place: LocalRelease, platform: str) -> None:
    """An unknown platform is an error, even beside a known one."""
    ran = place.release("--platform", "linux/amd64", "--platform", platform)
    assert ran.returncode == 3, ran.stderr
    assert f"no image has the platform {platform!r}; the platforms are linux/amd64" in ran.stderr
    assert not (place.repo.path / ".unmoor").exists()


@pytest.mark.journey
def test_a_plan_contacts_an_engine_only_for_images(place: LocalRelease, silent: SilentSocket) -> None:
    """An optional image is planned only if it could be built. Without images no engine is needed."""
    plan = ("plan", "--world", str(place.world_file), "v1.0")
    silent.listening.close()
    assert "skipping the optional image ghcr.io/" in place.unmoor(*plan).stderr
    settings = (place.repo.path / "pyproject.toml").read_text().replace(OPTIONAL, "")
    (place.repo.path / "Dockerfile").unlink()
    place.repo.commit({"pyproject.toml": settings})
    place.repo.git("tag", "--force", "v1.0")
    assert "skipping" not in place.unmoor(*plan).stderr


ENGINES: dict[str, Callable[[], object]] = {
    "no engine": lambda: (_ for _ in ()).throw(ToolMissing("no container engine answers")),
    "an engine": lambda: None,
}
REQUIRED, IF_POSSIBLE = ImageSettings(), ImageSettings(name="ghcr.io/acme/other", optional=True)
NAMES = ("the image ghcr.io/acme/demo", "the image ghcr.io/acme/other")
ONLY_LINUX = "images are released on Linux only, and this is "


def select(system: System, engine: str, *, rehearsal: bool, builds: bool = True) -> ImageSelection:
    """Select from one image that the release needs, and one that it can do without."""
    world = with_registries_of(real_world("acme/demo", {}), ImageSelection(images=(REQUIRED, IF_POSSIBLE)))
    world = replace(world, rehearsal=rehearsal)
    asked: Any = SimpleNamespace(facts=ENGINES[engine])
    return skip_unbuildable(ImageSelection(images=(REQUIRED, IF_POSSIBLE)), world, asked if builds else None, system)


@pytest.mark.parametrize("system", [MACOS, WINDOWS])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_rehearsal_elsewhere_than_on_linux_leaves_images_out(system: System, engine: str) -> None:
    """It says which, and why, also if an engine runs there, and a command that builds nothing leaves nothing out."""
    selected = select(system, engine, rehearsal=True)

    assert selected.images == ()
    assert selected.left_out == tuple(LeftOut(what=name, why=ONLY_LINUX + system.title) for name in NAMES)
    assert select(system, engine, rehearsal=True, builds=False).images == (REQUIRED, IF_POSSIBLE)


@pytest.mark.parametrize(
    ("system", "engine", "rehearsal", "left"),
    [
        (LINUX, "an engine", False, ()),
        (LINUX, "an engine", True, ()),
        (LINUX, "no engine", False, ("the optional image ghcr.io/acme/other",)),
        (LINUX, "no engine", True, ("the optional image ghcr.io/acme/other",)),
        # As on Linux without an engine: the images that are needed stay, and the stage access stops the run.
        (MACOS, "no engine", False, ("the optional image ghcr.io/acme/other",)),
        (WINDOWS, "no engine", False, ("the optional image ghcr.io/acme/other",)),
    ],
)
def test_a_real_release_never_leaves_out_an_image_that_it_needs(
    system: System, engine: str, left: tuple[str, ...], *, rehearsal: bool
) -> None:
    """Only an image that the settings call optional is left out by itself."""
    selected = select(system, engine, rehearsal=rehearsal)

    assert tuple(each.what for each in selected.left_out) == left
    assert REQUIRED in selected.images


@pytest.mark.parametrize(
    ("system", "images", "legs", "refused"),
    [
        (MACOS, (), ("leg-amd64",), True),
        (WINDOWS, (), ("leg-amd64", "leg-arm64"), True),
        (MACOS, (), (), False),
        (MACOS, (REQUIRED,), ("leg-amd64",), False),
        (LINUX, (), ("leg-amd64",), False),
    ],
)
def test_legs_with_images_are_not_ignored(
    system: System, images: tuple[ImageSettings, ...], legs: tuple[str, ...], *, refused: bool
) -> None:
    """A rehearsal elsewhere than on Linux refuses the images of legs, instead of rehearsing without them."""
    selection = ImageSelection(images=images, left_out=(LeftOut(what=NAMES[0], why="why"),))
    if not refused:
        refuse_unused_legs(selection, [Path(leg) for leg in legs], system)
        return
    with pytest.raises(ToolMissing) as caught:
        refuse_unused_legs(selection, [Path(leg) for leg in legs], system)
    assert caught.value.where == legs[0]
    assert caught.value.next_step.ids == ("release-images-on-linux",)
