"""Routes name requests alike in every round, and the tables have what the servers have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from tests.support.git_repos import Repo

from unmoor.rehearsal import apps
from unmoor.rehearsal.announce.targets import LocalTarget
from unmoor.rehearsal.apps import Served
from unmoor.rehearsal.faults import routes
from unmoor.rehearsal.faults.layer import FaultLayer
from unmoor.rehearsal.options import Options
from unmoor.rehearsal.shared import remote
from unmoor.rehearsal.shared.http import Logged, Ports
from unmoor.rehearsal.shared.worldfile import Addresses

PORTS = ("pypi", "testpypi", "forge", "storage", "issuer", "sigstore", "announce", "hub", "readthedocs")


@pytest.mark.parametrize(
    ("service", "request_line", "route"),
    [
        ("pypi", "POST /legacy/", "POST /legacy/"),
        ("pypi", "GET /simple/demo/", "GET /simple/{name}/"),
        ("testpypi", "GET /pypi/demo/1.0/json", "GET /pypi/{name}/{version}/json"),
        ("pypi", "GET /packages/aa/bb/demo-1.0.tar.gz", "GET /packages/{path}"),
        ("forge", "GET /api/v3/repos/a/b/releases/latest", "GET /repos/{owner}/{repo}/releases/latest"),
        ("forge", "PATCH /api/v3/repos/a/b/releases/7", "PATCH /repos/{owner}/{repo}/releases/{id}"),
        ("forge", "GET /api/v3/repos/a/b/releases/tags/v1/x", "GET /repos/{owner}/{repo}/releases/tags/{tag}"),
        (
            "forge",
            "POST /api/uploads/repos/a/b/releases/7/assets",
            "POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets",
        ),
        ("registry", "PUT /v2/acme/demo/manifests/1.0", "PUT /v2/{name}/manifests/{reference}"),
        ("registry2", "POST /v2/demo/blobs/uploads/", "POST /v2/{name}/blobs/uploads/"),
        ("registry", "PATCH /v2/a/b/blobs/uploads/12-ab", "PATCH /v2/{name}/blobs/uploads/{upload}"),
        ("registry", "GET /v2/a/b/blobs/sha256:12", "GET /v2/{name}/blobs/{digest}"),
        ("storage", "GET /9", "GET /{id}"),
        ("pypi", "GET /nowhere", "GET /{other}"),
        ("pypi", f"GET /simple/{'a' * 5000}/", "GET /{other}"),
        ("unheard-of", "GET /", "GET /{other}"),
    ],
)
def test_route_of(service: str, request_line: str, route: str) -> None:
    """What differs between rounds is a placeholder."""
    method, _, path = request_line.partition(" ")
    assert routes.route_of(service, method, path) == route
    assert routes.is_route(service, route) or service == "unheard-of"


@pytest.mark.parametrize(
    ("route", "path", "fits"),
    [
        ("GET =/simple/demo/", "/simple/demo/", True),
        ("GET =/simple/demo/", "/simple/demo", False),
        ("GET =/simple/*", "/simple/demo/", True),
        ("PUT =/simple/*", "/simple/demo/", False),
        ("GET /simple/*", "/simple/demo/", False),
    ],
)
def test_a_path_as_an_address(route: str, path: str, *, fits: bool) -> None:
    """An address may be one path, or a beginning of paths."""
    assert routes.has_path(route, "GET", path) is fits


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Return the server behind each service of a world that has all of them but a registry."""
    folder = tmp_path_factory.mktemp("routes")
    repo = Repo.new(folder / "checkout")
    addresses = {name: f"http://127.0.0.1:{number}" for number, name in enumerate(PORTS, start=1)}
    names = Addresses.__struct_fields__
    chosen = Options(
        folder=folder / "world",
        repository="acme/demo",
        checkout=None,
        file_limit=1000,
        announce=(LocalTarget(name="chat", kind="slack"),),
        deployments=("hub", "readthedocs"),
    )
    chosen.folder.mkdir()
    parts = Served(
        addresses=Addresses(**{name: addresses[name] for name in names}),
        git=remote.Remote(repo.path / ".git"),
        proxies={},
        announce=addresses["announce"],
        deployments={name: addresses[name] for name in chosen.deployments},
    )
    with (folder / "log").open("wb") as log:
        ports = apps.build(chosen, parts, log.fileno())
        assert isinstance(ports, Ports)
        found = {}
        for layer in ports._apps.values():
            assert isinstance(layer, FaultLayer)
            assert isinstance(layer._app, Logged)
            found[layer._service] = layer._app._app
        yield found


def test_the_tables_have_every_route_of_the_servers(served: dict[str, Any]) -> None:
    """A route that a server has and the table lacks would be `OTHER`, and one too many could never be met."""
    assert set(served) | {"registry"} == set(routes.TABLES)
    for service, app in served.items():
        has = set()
        for each in app.routes:
            assert isinstance(each, Route)
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", each.path)
            sample = re.sub(r"\{\w+\}", "1", path)
            for method in (each.methods or set()) - {"HEAD"}:
                route = routes.route_of(service, method, sample)
                assert route.partition(" ")[2] != routes.OTHER, f"{service}: {method} {path}"
                has.add(route)
        assert has == set(routes.routes(service)), service


def test_registries_have_numbers() -> None:
    """The second registry of a world is a service of its own, and there is no first one with a number."""
    assert [routes.nth_registry(number) for number in (1, 2)] == ["registry", "registry2"]
    assert [routes.kind_of(each) for each in ("registry2", "registry1", "pypi")] == ["registry", "registry1", "pypi"]


def test_slow_paths(tmp_path: Path) -> None:
    """A long path of slashes takes no time."""
    del tmp_path
    assert routes.route_of("registry", "GET", "/v2/" + "a/" * 1900 + "manifests").endswith(routes.OTHER)
