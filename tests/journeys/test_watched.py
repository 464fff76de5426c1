"""Releases that drifted are found by ``unmoor watch``, and mended by the commands that it prints."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.app import run
from unmoor.config.worlds import read_world
from unmoor.ports.services import Services
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld

pytestmark = pytest.mark.journey
TAGS = ("v1.0", "v1.1")
SETTINGS = """
[tool.unmoor]
repository = "acme/small"
tests = "off"
testpypi = "off"
reproducible = "off"
sbom = "off"
attestations = "off"
scan = { secrets = "off", vulnerabilities = "off" }
"""


class Place:
    """A checkout with two versions, of which only the tags are on the remote at first, and its world."""

    def __init__(self, repo: Repo, running: LocalWorld, services: Services) -> None:
        self.repo = repo
        self.running = running
        self.services = services

    def unmoor(self, *args: str) -> tuple[int, str]:
        """Run a command in this process; return its exit code and its stdout."""
        out, err = io.StringIO(), io.StringIO()
        where = ("--directory", str(self.repo.path), "--world", str(self.running.world_file))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*args, *([] if "--world" in args else where)])
        return code, out.getvalue() + (err.getvalue() if code not in {0, 9, 12} else "")

    def watch(self) -> list[dict[str, Any]]:
        """What is found now."""
        code, out = self.unmoor("watch", "--since", "2000-01-01", "--json")
        found: list[dict[str, Any]] = json.loads(out)["findings"]
        assert (code == 0) == (not found), out
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A world, and two tags of which nothing is released."""
    repo = Repo.new(tmp_path / "checkout")
    for number, tag in enumerate(TAGS):
        version = tag.removeprefix("v")
        more = {"CHANGELOG.md": f"# Changes\n\n## {version}\n\n- It floats.\n"}
        repo.commit(sample_projects.files(version=version, more=SETTINGS, **more), date=1_700_000_000 + number)
        repo.git("tag", tag)
    with (
        local.start(tmp_path / "world", repository="acme/small", checkout=repo.path) as running,
        Processes() as processes,
    ):
        services = create_services(read_world(running.world_file, os.environ), repo.path, processes)
        yield Place(repo, running, services)


def never_released(_place: Place) -> None:
    """Nobody has released the first version."""


def stopped(place: Place) -> None:
    """A run stopped after the upload to the index."""
    code, said = place.unmoor("release", "--until", "pypi", "v1.1")
    assert code == 0, said


def marked_wrongly(place: Place) -> None:
    """Somebody marked an older release as the latest."""
    forge = place.services.forge
    old = forge.public("v1.0")
    assert old is not None
    forge.publish(old, prerelease=False, latest=True)


DRIFTS: tuple[tuple[Callable[[Place], None], str, str], ...] = (
    (never_released, "v1.0", "not-released"),
    (stopped, "v1.1", "stopped"),
    (marked_wrongly, "v1.1", "latest-stale"),
)


def test_the_printed_commands_mend_what_drifted(place: Place) -> None:
    """Each finding is gone after its command, and in the end nothing is left."""
    for drift, tag, finding in DRIFTS:
        drift(place)
        (found,) = (each for each in place.watch() if (each["tag"], each["finding"]) == (tag, finding))
        command = found["next_step"].rpartition("release it: ")[2]
        program, *words = shlex.split(command)
        assert program == "unmoor"
        code, said = place.unmoor(*words)
        assert code == 0, said
        assert (tag, finding) not in {(each["tag"], each["finding"]) for each in place.watch()}
    assert place.watch() == []
