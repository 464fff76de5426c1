"""A world's patience: no adapter waits longer for a server that is silent, drips, or always asks to come back later."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.faulty_index import build_dists, index_place
from tests.support.faulty_server import Exchange, run_server
from tests.support.sample_values import FakeClock

from unmoor.adapters.factory import create_services, open_http, open_issues
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.retry_after import Retries, ServerBusy
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.readthedocs import ReadTheDocs
from unmoor.adapters.uv import Uv
from unmoor.artifacts.oci import OCI_INDEX, digest_of
from unmoor.errors import Cause, Unknown, UnmoorError
from unmoor.ports.poll import poll, program_time, tries
from unmoor.ports.registry import OciManifest
from unmoor.ports.services import Services
from unmoor.ports.world import ForgePlace, Login, RegistryPlace, ScanningPlace, SigningPlace, SpacePlace, World
from unmoor.products import Dists, Release
from unmoor.publish.upload import upload
from unmoor.util.secret import Secret
from unmoor.util.values import replace

PATIENCE = 0.3
# Far more than a few waits of that length, and far less than one without it: 10 s to connect, 30 s without a byte.
SOON = 8.0
LOGIN = Login(username="user", secret=Secret("throw-away"), origin="a test")
RELEASE = Release(
    repository="acme/demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit="0" * 40,
    date=0,
    prerelease=False,
    highest=True,
)
MANIFEST = b'{"schemaVersion":2}'


def silent(exchange: Exchange) -> None:
    """Never answer."""
    exchange.hang()


def dripping(exchange: Exchange) -> None:
    """Send the beginning of an answer, byte by byte, for ever."""
    exchange.drip(b"H")


def busy(exchange: Exchange) -> None:
    """Ask to come back a moment later, for ever."""
    exchange.answer(429, headers={"Retry-After": "0"} if exchange.command == "HEAD" else {"Retry-After": "1"})


def world_at(url: str, patience: float = PATIENCE) -> World:
    """A world whose every service is one server."""
    return World(
        name="one server",
        rehearsal=True,
        index=index_place(url),
        staging=None,
        dependencies=f"{url}/simple/",
        forge=ForgePlace(api=f"{url}/api/v3", uploads=url, site=url, repository="acme/demo", login=LOGIN),
        remote="origin",
        registries=(RegistryPlace(host="registry.example", address=url, login=LOGIN),),
        signing=SigningPlace(identity=f"{url}/token?", token=LOGIN),
        scanning=ScanningPlace(service=url),
        space=SpacePlace(address=url, login=LOGIN),
        patience=patience,
    )


Ask = Callable[[Services, World, Path], object]


def _upload(services: Services, _world: World, folder: Path) -> object:
    dists = build_dists(folder)
    return upload(services.index, RELEASE, Dists(files=dists), clock=services.clock, say=lambda _: None)


def _read_the_docs(services: Services, world: World, _folder: Path) -> object:
    return ReadTheDocs(f"{world.index.simple}/", "demo", LOGIN.secret, open_http(world), services.clock).version("v1")


def _issue(_services: Services, world: World, _folder: Path) -> object:
    with Processes() as processes:
        return open_issues(world, processes).own("marker")


def _signed(services: Services, _world: World, _folder: Path) -> object:
    assert services.signing is not None
    return services.signing.signer.identity()


def _space(services: Services, _world: World, _folder: Path) -> object:
    assert services.deployers.space is not None
    return services.deployers.space("acme/demo").info()


def _put(services: Services, _world: World, _folder: Path) -> object:
    manifest = OciManifest(data=MANIFEST, digest=digest_of(MANIFEST), media_type=OCI_INDEX)
    return services.registry("registry.example/demo").put("v1", manifest)


ASKS: dict[str, Ask] = {
    "index": lambda services, _world, _folder: services.index.holding("demo", "1.0"),
    "upload": _upload,
    "forge": lambda services, _world, _folder: services.forge.releases("v1"),
    "draft": lambda services, _world, _folder: services.forge.draft(
        tag="v1", target="a" * 40, name="v1", body="", prerelease=False
    ),
    "issues": _issue,
    "registry": lambda services, _world, _folder: services.registry("registry.example/demo").head("v1"),
    "put": _put,
    "signing": _signed,
    "docs": _read_the_docs,
    "space": _space,
}
SCRIPTS = {"silent": silent, "drip": dripping, "busy": busy}


@pytest.fixture
def within() -> Callable[[Callable[[], object]], object]:
    """Call something, and fail if it is still not over soon."""

    def call(ask: Callable[[], object]) -> object:
        ended: list[object] = []

        def run() -> None:
            try:
                ended.append(ask())
            except UnmoorError as error:
                ended.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(SOON)
        assert not thread.is_alive(), f"it was not over after {SOON:g} s"
        return ended[0]

    return call


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("asked", ASKS)
def test_no_wait_is_longer(
    tmp_path: Path, within: Callable[[Callable[[], object]], object], asked: str, script: str
) -> None:
    """Each kind of adapter, with each kind of server: it is over soon, and what the server holds stays unknown."""
    with run_server(SCRIPTS[script]) as server, Processes() as processes:
        world = world_at(server.url)
        services = create_services(world, tmp_path, processes)
        ended = within(lambda: ASKS[asked](services, world, tmp_path))
    assert isinstance(ended, UnmoorError), ended
    assert isinstance(ended, Unknown) or ended.cause is Cause.LATER
    assert ended.retryable
    assert server.seen


def test_uv_does_not_wait_longer(tmp_path: Path) -> None:
    """A silent index of the world: one try instead of four, each of half a minute."""
    with run_server(silent) as server, Processes() as processes:
        shell = LocalShell(processes=processes)
        patient = Uv(shell=shell, dependencies=f"{server.url}/simple/", patience=1.0)
        environment = patient.fresh(tmp_path / "env")
        with pytest.raises(Unknown):
            environment.install(["demo==1.0"])
    assert 1 <= len(server.paths()) <= 3  # one more try of ours, and one look at why


@pytest.mark.parametrize(
    ("pauses", "patience", "slept"),
    [
        ((0.0, 1.0, 4.0), math.inf, [0.0, 1.0, 4.0]),
        ((0.0, 1.0, 4.0), 3.0, [0.0, 1.0]),
        ((0.0, 1.0, 4.0), 0.5, [0.0]),
        ((5.0, 5.0), 1.0, [5.0]),
    ],
)
def test_tries(pauses: tuple[float, ...], patience: float, slept: list[float]) -> None:
    """They end with the patience, but there is always one."""
    clock = FakeClock(patience=patience)
    assert sum(1 for _ in tries(pauses, clock)) == len(slept)
    assert clock.slept == slept


def test_tries_without_a_clock() -> None:
    """Those that need no pause."""
    assert sum(1 for _ in tries((0.0, 0.0, 0.5), None)) == 2


@pytest.mark.parametrize(
    ("limit", "patience", "expected"), [(900.0, math.inf, 900.0), (900.0, 2.0, 32.0), (10.0, 2.0, 10.0)]
)
def test_the_time_of_a_program(limit: float, patience: float, expected: float) -> None:
    """It has its own work to do, too."""
    assert program_time(limit, patience) == expected


@pytest.mark.parametrize(("deadline", "patience", "ended"), [(900.0, 3.0, 3.0), (2.0, 3.0, 2.0), (math.inf, 3.0, 3.0)])
def test_a_poll_ends_with_the_patience(deadline: float, patience: float, ended: float) -> None:
    """However long it may last by itself."""
    clock = FakeClock(patience=patience)
    assert poll(lambda: None, waits=itertools.repeat(0.7), clock=clock, deadline=deadline) is None
    assert clock.time == pytest.approx(ended)


@pytest.mark.parametrize(
    ("asked", "patience", "requests"),
    [(1.0, 2.5, 3), (10.0, 2.5, 1), (10.0, math.inf, 7), (1.0, math.inf, 61)],
)
def test_a_wait_that_is_asked_for(asked: float, patience: float, requests: int) -> None:
    """It is honoured within the patience. A longer one ends the request at once, as the own limit of one does."""
    clock = FakeClock(patience=patience)
    sent: list[float] = []

    def send() -> None:
        sent.append(clock.time)
        raise ServerBusy("busy", where="", wait=asked)

    with pytest.raises(ServerBusy):
        Retries(patience=60.0).call(send, clock)
    assert len(sent) == requests
    assert clock.time <= min(60.0, patience)


def test_bounds_of_an_exchange() -> None:
    """No time is longer, and what a caller asks for keeps the patience."""
    bounds = replace(Bounds(patience=2.0), total=1800.0, stall=120.0)
    assert bounds.within_patience() == Bounds(connect=2.0, stall=2.0, total=2.0, patience=2.0)
    assert Bounds(total=1.0).within_patience() == Bounds(total=1.0)
