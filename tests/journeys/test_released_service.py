"""A service from release to release by whole commands: rehearsed, killed while it switches, undone, released again.

Each command costs seconds, so the usual run of the tests kills no rehearsal. `make chaos` does.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import forked
from tests.support.engines import TestEngine, engine, require_programs, runnable_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease
from tests.support.service_users import ask, users_of
from tests.support.serving_projects import add_fast_version

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.proxy.own_proxy import OwnProxy, find_haproxy, start_own_proxy
from unmoor.ports.proxy import Admin
from unmoor.rehearsal import local

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@dataclass(frozen=True, kw_only=True)
class ServingRelease:
    """A project with a service at 1.0, its world with a proxy, and the engine that runs the containers."""

    place: LocalRelease
    own: OwnProxy
    engine: TestEngine
    base: str
    output: Path

    def tag_next(self) -> None:
        """Tag 1.1, and push it."""
        add_fast_version(self.place.repo, self.base, self.own.slots, "1.1")
        self.place.repo.git("push", "--quiet", str(self.place.world / "remote.git"), "main", "v1.1")

    def version(self) -> str:
        """The version that users get."""
        return ask(self.own.address, "version")

    def containers(self, *more: str) -> list[str]:
        """The names of the service's containers."""
        named = ("--filter", "label=dev.unmoor.service.project=acme/small", "--format", "{{.Names}}")
        return sorted(self.engine.docker("ps", "--all", *named, *more).split())

    def run(self, *arguments: str) -> str:
        """Run a command in the world to its end, and return what it printed."""
        assert self._start(arguments).wait(110) == 0, self.output.read_text("utf-8")
        return self.output.read_text("utf-8")

    def kill(self, arguments: Sequence[str], reached: Callable[[], bool]) -> None:
        """Run a command, and kill it as soon as something is reached."""
        running = self._start(arguments)
        deadline = time.monotonic() + 110
        while not reached():
            assert running.poll() is None, self.output.read_text("utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.01)
        running.kill()
        assert running.wait(20) != 0

    def _start(self, arguments: Sequence[str]) -> forked.Forked | subprocess.Popen[bytes]:
        args = [*arguments, *([] if arguments[0] == "rehearse" else self._world)]
        with self.output.open("wb") as stream:
            env = {**os.environ, **self.engine.environ}
            return forked.start(args, cwd=self.place.repo.path, env=env, output=stream, err=stream)

    @property
    def _world(self) -> list[str]:
        return ["--world", str(self.place.world_file)]

    def is_told(self, server: str, admin: Admin) -> bool:
        """Whether the proxy was told so about a server."""
        seen = self.own.api.look().server(server)
        return seen is not None and seen.admin is admin


@pytest.fixture
def serving(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
) -> Iterator[ServingRelease]:
    """Give a version that is not released. What it leaves in the engine is removed at the end."""
    require_programs("docker-registry")
    program = find_haproxy(os.environ)
    if not program:
        pytest.skip("haproxy is not installed")
    with contextlib.ExitStack() as stack:
        processes = stack.enter_context(Processes())
        clock = MonotonicClock(processes=processes)
        own = start_own_proxy(program, "web", {"blue": 0, "green": 0}, "/health", processes=processes, clock=clock)
        stack.callback(own.stop)
        repo = Repo.new(tmp_path / "small")
        add_fast_version(repo, runnable_image, own.slots, "1.0")
        repo.git("remote", "add", "origin", "https://github.com/acme/small")
        started = local.start(
            tmp_path / "world", repository="acme/small", checkout=repo.path, registry=True, any_platform=True
        )
        world = stack.enter_context(started)
        place = LocalRelease(repo=repo, world=world.folder)
        _configure_proxy(place.world_file, own)
        serving = ServingRelease(place=place, own=own, engine=engine, base=runnable_image, output=tmp_path / "output")
        stack.callback(_remove_all, serving)
        yield serving


def _configure_proxy(world_file: Path, own: OwnProxy) -> None:
    """Let the world be one in which a service is really switched: one of a rehearsal has a proxy for each run."""
    text = world_file.read_text("utf-8").replace("rehearsal = true", "rehearsal = false")
    proxy = {"socket": own.api.socket, "state": own.api.state_file, "address": own.address}
    table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in proxy.items())
    world_file.write_text(f"{text}\n[proxy.web]\n{table}", "utf-8")


def _remove_all(serving: ServingRelease) -> None:
    for name in serving.containers():
        serving.engine.docker("rm", "--force", name)
    listed = serving.engine.docker("image", "ls", "--format", "{{.ID}} {{.Repository}}").splitlines()
    for image in {line.split()[0] for line in listed if line.endswith("/acme/small")}:
        serving.engine.docker("image", "rm", "--force", image)


def test_a_service_is_rehearsed(serving: ServingRelease) -> None:
    """A rehearsal runs it behind a proxy of its own; killed while it does, it leaves no container behind."""
    if os.environ.get("CHAOS"):
        serving.kill(["rehearse", "v1.0"], lambda: bool(serving.containers()))
        deadline = time.monotonic() + 20
        while serving.containers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert serving.containers() == []
    said = serving.run("rehearse", "v1.0")
    assert "deployed: service web" in said
    assert "blue serves v1.0" in said
    assert serving.containers() == []
    assert serving.own.api.look().server("blue") is not None  # the configured one is as it was


def test_killed_while_it_switches_undone_and_released_again(serving: ServingRelease) -> None:
    """Each command that was killed goes on, and users always get one of the two versions."""
    release, deploy = ["release", "v1.1"], ["deploy", "service", "web", "v1.1"]
    undo = ["undo", "--only", "service", "--apply", "v1.1"]
    serving.run("release", "v1.0")
    assert serving.version() == "1.0"
    serving.tag_next()
    with users_of(serving.version) as users:
        serving.kill(release, lambda: serving.is_told("green", Admin.READY))
        assert serving.version() in {"1.0", "1.1"}
        assert "building" not in serving.run(*release)
        assert serving.version() == "1.1"

        serving.kill(undo, lambda: serving.is_told("green", Admin.DRAIN))
        assert serving.run(*undo).startswith("service-web: ")
        assert serving.version() == "1.0"

        serving.kill(deploy, lambda: serving.is_told("blue", Admin.DRAIN))
        assert "deployed: service web" in serving.run(*deploy)
        assert serving.version() == "1.1"
    assert users.failed == []
    assert set(users.answers) == {"1.0", "1.1"}
    assert "\nservice-web " in serving.run("status", "v1.1")
