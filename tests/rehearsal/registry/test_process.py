"""The registry's process ends with its world; a world without one gives the reason."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from tests.rehearsal.registry.oci_client import RegistryClient

from unmoor.config.worlds import read_world
from unmoor.errors import ConfigError, Unknown
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.registry import process as registry_process
from unmoor.rehearsal.registry import registries

assert sys.platform == "linux"  # watches processes by pidfd

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _program() -> None:
    if registry_process.find_program() is None:
        pytest.skip(registries.MISSING)


@contextmanager
def running(folder: Path, **how: object) -> Iterator[LocalWorld]:
    """A world with a registry."""
    with local.start(folder, repository="acme/demo", checkout=None, registry=True, **how) as world:  # type: ignore[arg-type]
        yield world


def servers(world: LocalWorld) -> list[int]:
    """Return the registry processes of a world."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(world.folder / "registry"):
                found.append(int(entry.name))
    return found


def oci(world: LocalWorld) -> RegistryClient:
    """Return a client of a world's registry with write access."""
    known = json.loads((world.folder / "credentials.json").read_text())
    return RegistryClient(
        base=world.registry or "", folder=world.folder / "registry" / "ghcr.io", password=known["registry"]
    )


def test_it_is_optional(tmp_path: Path) -> None:
    """A world without images has no registry, and gives no reason for that."""
    with local.start(tmp_path / "world", repository="acme/demo", checkout=None) as world:
        assert (world.registry, world.no_registry, servers(world)) == (None, "", [])
        assert read_world(world.world_file, {}).registries == ()


def test_the_world_file(tmp_path: Path) -> None:
    """The world file has the registry's address and login."""
    with running(tmp_path / "world") as world:
        (place,) = read_world(world.world_file, {}).registries
        assert (place.host, place.address) == ("ghcr.io", world.registry)
        assert place.login.secret.reveal() == oci(world).password
        assert world.no_registry == ""


def test_a_world_keeps_its_images(tmp_path: Path) -> None:
    """A world that is started again after a kill has the same images and logins, at the same address."""
    with running(tmp_path / "world") as world:
        password, address = oci(world).password, world.registry
        digest = oci(world).push("acme/demo", b"layer", "1.0")
        world.process.kill()
    with running(tmp_path / "world") as world:
        assert oci(world).pull("acme/demo", "1.0").headers["docker-content-digest"] == digest
        assert (oci(world).password, world.registry) == (password, address)


ENDS: dict[str, Callable[[LocalWorld], None]] = {
    "stopped": lambda world: world.stop(),
    "SIGTERM": lambda world: os.kill(world.process.pid, signal.SIGTERM),
    "SIGKILL": lambda world: world.process.kill(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_ends_with_its_world(tmp_path: Path, end: Callable[[LocalWorld], None]) -> None:
    """The registry ends with the servers, however they end."""
    with running(tmp_path / "world", hosts=("ghcr.io", "registry.example.org")) as world:
        watched = [os.pidfd_open(process) for process in servers(world)]
        assert len(watched) == 2
        end(world)
        for each in watched:
            assert select.select([each], [], [], PATIENCE)[0], "a registry outlived its world"
            os.close(each)
        assert servers(world) == []


def test_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without program and engine the world starts without a registry, and the reason says what to install."""
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    with running(tmp_path / "world") as world:
        assert world.registry is None
        assert world.no_registry == registries.MISSING
        assert requests.get(f"{world.addresses['pypi']}/simple/", timeout=20).status_code == 200
        assert read_world(world.world_file, {}).registries == ()


def test_a_program_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that does not start is reported with the end of its log, and nothing is left running."""
    program = tmp_path / "bin" / registry_process.PROGRAM
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no room left >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(Unknown, match="no room left") as caught, running(tmp_path / "world"):
        pytest.fail("it started")
    assert "registry.log" in caught.value.next_step


@pytest.mark.parametrize("host", ["", "GHCR.io", "../x", "a/b", "a b", "ghcr.io\n"])
def test_invalid_hosts(tmp_path: Path, host: str) -> None:
    """An invalid host is refused, and does not become a folder."""
    with pytest.raises(ConfigError, match="is not a registry's host"), running(tmp_path / "world", hosts=(host,)):
        pytest.fail("it started")


def test_the_environment_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry does not get environment variables that configure it: with this one, anyone could delete."""
    monkeypatch.setenv("REGISTRY_AUTH", "none")
    monkeypatch.setenv("REGISTRY_HTTP_ADDR", "127.0.0.1:0")
    with running(tmp_path / "world") as world:
        assert requests.get(f"{world.registry}/v2/", timeout=20).status_code == 401


def test_a_long_path(tmp_path: Path) -> None:
    """The folder's path can be longer than a socket's."""
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    with running(folder) as world:
        assert oci(world).push("acme/demo", b"layer", "1.0")


def test_a_long_path_behind_a_link(tmp_path: Path) -> None:
    """The same holds if the given path is a link to the folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with running(tmp_path / "link" / ("a" * 100) / ("b" * 100)) as world:
        assert oci(world).push("acme/demo", b"layer", "1.0")
