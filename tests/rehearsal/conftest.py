"""One local world for all its tests, and clients for it."""

from __future__ import annotations

import contextlib
import json
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.rehearsal.github.contract import ForgeClient
from tests.rehearsal.index.made_dists import Upload
from tests.rehearsal.registry.oci_client import RegistryClient
from tests.support.git_repos import Repo

from unmoor.rehearsal import local
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.registry import process
from unmoor.rehearsal.registry.registries import MISSING

FILE_LIMIT = 200_000


@dataclass(frozen=True)
class IndexClient:
    """A plain HTTP client of one index."""

    base: str
    token: str
    folder: Path

    def send(self, upload: Upload, *, auth: tuple[str, str] | None = None, accept: str = "*/*") -> requests.Response:
        """Send one file, with the right credentials unless others are given."""
        return requests.post(
            f"{self.base}/legacy/",
            data=upload.form,
            files={"content": (upload.filename, upload.data, "application/octet-stream")},
            auth=auth or ("__token__", self.token),
            headers={"Accept": accept},
            timeout=20,
        )

    def get(self, path: str, accept: str = "*/*", **headers: str) -> requests.Response:
        """Read a page, without following redirects."""
        return requests.get(self.base + path, headers={"Accept": accept, **headers}, allow_redirects=False, timeout=20)

    def simple(self, name: str) -> dict[str, Any]:
        """Return the simple page of a project, as JSON."""
        answer: dict[str, Any] = self.get(f"/simple/{name}/", "application/vnd.pypi.simple.v1+json").json()
        return answer

    @contextlib.contextmanager
    def control(self, name: str, text: str) -> Iterator[None]:
        """Set a control file of the index for a while; without a name, none."""
        if name:
            (self.folder / name).write_text(f"{text}\n")
        yield
        if name:
            (self.folder / name).unlink()

    def manage(self, method: str, name: str, what: str) -> requests.Response:
        """Do what the owner of a project does on its page."""
        auth = ("__token__", self.token)
        return requests.request(method, f"{self.base}/manage/{name}/{what}", auth=auth, timeout=20)


def world_table(world: LocalWorld) -> dict[str, Any]:
    """Return the parsed world file."""
    return tomllib.loads(world.world_file.read_text())


def requests_of(world: LocalWorld, **wanted: object) -> list[dict[str, Any]]:
    """Return the lines of the request log that have all these facts."""
    lines = [json.loads(line) for line in (world.folder / "requests.jsonl").read_text().splitlines()]
    return [line for line in lines if wanted.items() <= line.items()]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[LocalWorld]:
    """Start a world whose remote has two commits, a lightweight tag and an annotated one, which ID tokens are for."""
    folder = tmp_path_factory.mktemp("world")
    repo = Repo.new(folder / "checkout")
    repo.git("tag", "v0.1.0")
    repo.commit({"more": "text\n"})
    repo.git("tag", "--annotate", "-m", "The second one", "v0.2.0")
    with local.start(
        folder / "world", repository="acme/demo", checkout=repo.path, file_limit=FILE_LIMIT, tag="v0.2.0"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def index(world: LocalWorld) -> IndexClient:
    """The production index."""
    return index_of(world)


def index_of(world: LocalWorld) -> IndexClient:
    """Return a client of the production index of a world."""
    table = world_table(world)["index"]
    return IndexClient(world.addresses["pypi"], table["password"], world.folder / "pypi")


PLAIN = "registry.example.org"
"""The host of a registry that is not GHCR."""


@dataclass(frozen=True)
class LocalRegistries:
    """A world with two registries: one that imitates GHCR, and a plain one."""

    world: LocalWorld

    def oci(self, who: str = "registry", host: str = "ghcr.io") -> RegistryClient:
        """Return a client of a registry: with write access, with ``registry_read``, or anonymous."""
        known = json.loads((self.world.folder / "credentials.json").read_text())
        folder = self.world.folder / "registry" / host
        return RegistryClient(base=self.world.registries[host], folder=folder, password=known[who] if who else "")

    def forge(self, who: str = "forge") -> ForgeClient:
        """Return a client of the forge with one of the world's tokens."""
        known = json.loads((self.world.folder / "credentials.json").read_text())
        return ForgeClient(self.world.addresses["forge"], known[who] if who else "")


@pytest.fixture(scope="session")
def _running_registries(
    tmp_path_factory: pytest.TempPathFactory, _clean_environment: None
) -> Iterator[LocalRegistries]:
    if process.find_program() is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("registries") / "world"
    with local.start(folder, repository="Acme/demo", checkout=None, registry=True, hosts=("ghcr.io", PLAIN)) as running:
        yield LocalRegistries(running)


@pytest.fixture
def registries(_running_registries: LocalRegistries) -> Iterator[LocalRegistries]:
    """The two registries; control files are removed after each test."""
    yield _running_registries
    for site in (_running_registries.world.folder / "registry").iterdir():
        for name in ("private", "foreign", "popular", "no-admin", "no-referrers", "refuse-write", "immutable"):
            (site / name).unlink(missing_ok=True)
    control.clear(_running_registries.world.folder)


@pytest.fixture
def name() -> str:
    """Return the name of a project that no other test uses."""
    return f"demo-{uuid.uuid4().hex[:12]}"
