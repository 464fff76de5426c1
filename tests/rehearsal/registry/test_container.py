"""The registry as a container, if an engine has the image and this machine lacks the program."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from tests.rehearsal.registry.oci_client import RegistryClient
from tests.support import sample_projects
from tests.support.engines import TestEngine, engine, require_programs, tar_layer, tiny_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, UNMOOR

from unmoor.errors import Unknown
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.registry import registries
from unmoor.rehearsal.registry.container import Containers, _is_here
from unmoor.rehearsal.registry.site import Site

assert sys.platform == "linux"  # containers run here

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PATIENCE = 60.0
NAME = "registry:2"
OURS = "dev.unmoor.test=registry"
_LIBRARY = re.compile(r"(/\S+) \(0x")


def imported(engine: TestEngine, program: Path, *words: str) -> None:  # noqa: F811 - not the fixture
    """Build an image with a program and its libraries."""
    ran = subprocess.run(
        [shutil.which("ldd") or "ldd", str(program)], capture_output=True, text=True, check=False, timeout=20
    )
    files = {str(path): Path(path).read_bytes() for path in _LIBRARY.findall(ran.stdout)} if ran.returncode == 0 else {}
    contents = {path.lstrip("/"): data for path, data in {**files, "/program": program.read_bytes()}.items()}
    entry = json.dumps(["/program", *words])
    changes = ("--change", f"ENTRYPOINT {entry}", "--change", f"LABEL {OURS}")
    engine.docker("import", *changes, "-", NAME, stdin=tar_layer(contents))


@pytest.fixture(scope="module")
def image(engine: TestEngine) -> Iterator[str]:  # noqa: F811 - the fixture
    """The image `registry` if it was pulled, or a temporary one with this machine's own program.

    The name is the product's choice, so all workers that have this engine share one image: the first to come makes it,
    and the last to leave removes it. Both happen behind a door; who is inside holds a shared lock.
    """
    place = Path(tempfile.gettempdir(), f"unmoor-test-registry-{sha256(engine.host.encode()).hexdigest()[:12]}")
    with place.with_suffix(".door").open("w") as door, place.with_suffix(".users").open("w") as users:
        with locked(door):
            if not engine.docker("image", "ls", "--quiet", NAME):
                require_programs("docker-registry", "ldd")
                imported(engine, Path(shutil.which("docker-registry") or ""))
            fcntl.flock(users, fcntl.LOCK_SH)
        yield NAME
        with locked(door), suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_UN)
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if engine.docker("image", "ls", "--quiet", "--filter", f"label={OURS}", NAME):
                engine.docker("image", "rm", "--force", NAME)


@contextmanager
def locked(door: TextIO) -> Iterator[None]:
    """Hold a lock that no other process holds meanwhile."""
    fcntl.flock(door, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(door, fcntl.LOCK_UN)


@pytest.fixture
def hidden(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hide the program: replace every folder of the PATH by one without it."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    for number, folder in enumerate(folders):
        if (folder / "docker-registry").exists():
            folders[number] = tmp_path / f"bin{number}"
            folders[number].mkdir()
            for each in folder.iterdir():
                if each.name != "docker-registry":
                    (folders[number] / each.name).symlink_to(each)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    assert shutil.which("docker-registry") is None
    for name, value in engine.environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("address", "name", "here"),
    [
        ("unix:///var/run/docker.sock", socket.gethostname(), True),
        ("tcp://127.0.0.1:2375", socket.gethostname(), True),
        ("unix:///home/me/.docker/desktop/docker.sock", "docker-desktop", False),
        ("unix:///home/me/.colima/default/docker.sock", "colima", False),
        ("unix:///var/run/docker.sock", None, False),
        ("tcp://build.example.org:2375", socket.gethostname(), False),
        ("ssh://build.example.org", socket.gethostname(), False),
    ],
)
def test_an_engine_of_this_machine(address: str, name: str | None, *, here: bool) -> None:
    """One in a virtual machine or on another machine cannot share the folder and the socket of a registry."""
    connection: Any = SimpleNamespace(address=address, read=lambda _question, what: {"Name": name} if what else {})

    assert _is_here(connection) is here


def oci(world: LocalWorld) -> RegistryClient:
    """Return a client of a world's registry with write access."""
    known = json.loads((world.folder / "credentials.json").read_text())
    return RegistryClient(
        base=world.registry or "", folder=world.folder / "registry" / "ghcr.io", password=known["registry"]
    )


def containers(engine: TestEngine, place: Path) -> list[str]:  # noqa: F811 - not the fixture
    """The containers that have a folder below a place mounted.

    In one question: a container that others remove meanwhile can be listed, and not be looked at any more.
    """
    listed = engine.docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Mounts}}").splitlines()
    return [each.partition(" ")[0] for each in listed if str(place) in each]


def wait_until_gone(engine: TestEngine, place: Path) -> None:  # noqa: F811 - not the fixture
    """Wait until no container has a folder below a place mounted; fail after a minute."""
    until = time.monotonic() + PATIENCE
    while containers(engine, place):
        assert time.monotonic() < until, "a registry outlived its world"
        time.sleep(0.1)


ENDS: dict[str, Callable[[LocalWorld], None]] = {
    "stopped": lambda world: world.stop(),
    "SIGKILL": lambda world: world.process.kill(),
}


@pytest.mark.usefixtures("hidden", "image")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_lives_and_ends_with_its_world(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    end: Callable[[LocalWorld], None],
) -> None:
    """Two registries behind the same proxy, each in a container without network; gone however the servers end."""
    hosts = ("ghcr.io", "registry.example.org")
    with local.start(
        tmp_path / ("long" * 30) / "world", repository="acme/demo", checkout=None, registry=True, hosts=hosts
    ) as world:
        assert world.no_registry == ""
        digest = oci(world).push("acme/demo", b"layer", "1.0")
        assert oci(world).pull("acme/demo", "1.0").headers["docker-content-digest"] == digest
        there = containers(engine, world.folder)
        assert len(there) == 2
        networks = "{{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}}"
        assert engine.docker("inspect", "--format", networks, *there).splitlines() == ["none true"] * 2
        owners = {path.stat().st_uid for path in world.folder.rglob("*") if not path.is_symlink()}
        assert owners == {os.getuid()}
        end(world)
        wait_until_gone(engine, world.folder)


@pytest.mark.usefixtures("hidden", "image")
def test_a_container_that_exits_is_reported_with_the_end_of_its_log(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is that of the program, and the container is removed."""
    monkeypatch.chdir(tmp_path)
    site = Site(folder=tmp_path / "site", host="ghcr.io")
    site.configure(address="http://127.0.0.1:1", certificate=b"this is no certificate")
    runner = registries.find_runner()
    assert isinstance(runner, Containers)
    with registries.Registries() as started:
        started.begin(runner, (site,))
        with pytest.raises(Unknown, match=r"before it was ready: .*certificate"):
            started.wait()
        assert containers(engine, tmp_path)
    wait_until_gone(engine, tmp_path)


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("127.0.0.2", False)], ids=["here", "elsewhere"])
def test_an_engine_on_another_machine_is_not_used(
    engine: TestEngine,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    *,
    here: bool,
) -> None:
    """It has the image, but cannot mount this machine's folders."""
    with relayed(host, engine.host.removeprefix("unix://")) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        runner = Containers.find()
        assert (runner is not None) is here
        if runner is not None:
            runner.stop()


@contextmanager
def relayed(host: str, path: str) -> Iterator[str]:
    """Forward a port to an engine."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(path)
                pairs = {self.request: there, there: self.request}
                while True:
                    for readable in select.select(list(pairs), [], [], 10.0)[0]:
                        data = readable.recv(1 << 16)
                        if not data:
                            return
                        pairs[readable].sendall(data)

    with socketserver.ThreadingTCPServer((host, 0), Relay) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"tcp://{host}:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.usefixtures("hidden", "image")
def test_a_rehearsal_with_images(tmp_path: Path, tiny_image: str) -> None:  # noqa: F811 - the fixture
    """A rehearsal passes every stage."""
    files = sample_projects.files("small-one", "1.0", more=SETTINGS.replace("test-command", "# test-command"))
    dockerfile = f"FROM {tiny_image}\nCOPY dist/ /dist/\nUSER 1000\n"
    repo = Repo.new(tmp_path / "small", files | {"CHANGELOG.md": CHANGELOG, "Dockerfile": dockerfile})
    repo.git("tag", "v1.0")
    repo.git("remote", "add", "origin", "https://github.com/acme/small")
    command = [str(UNMOOR), "rehearse", "--json", "v1.0"]
    ran = subprocess.run(command, cwd=repo.path, capture_output=True, text=True, check=False, timeout=200)
    assert ran.returncode == 0, ran.stderr
    states = {stage["name"]: stage["state"] for stage in json.loads(ran.stdout)["stages"]}
    assert states["registry"] == states["image-tags"] == "made"
