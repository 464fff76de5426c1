"""The real thing: containers and HAProxy. What fails leaves the former version serving, and a kill anywhere heals."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.support.engines import engine  # noqa: F401 - a fixture
from tests.support.real_services import RealService, real_service, service_images  # noqa: F401 - fixtures
from tests.support.service_model import Fuse, KilledError
from tests.support.service_users import users_of

from unmoor.core.stage import Undone
from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.look import Service
from unmoor.deploy.service.steps import serves
from unmoor.deploy.service.undoing import undo
from unmoor.errors import CheckFailed, Refused
from unmoor.ports.proxy import Admin, Proxy, ProxyState
from unmoor.ports.service_host import ContainerSpec, ServiceContainer, ServiceHost

pytestmark = pytest.mark.journey


def test_a_service_from_its_first_version_to_an_undo(real_service: RealService) -> None:  # noqa: F811 - the fixture
    """Each version serves in turn and no request fails; what is not fit is refused with the former one serving."""
    service = real_service
    service.deploy("v1")
    assert service.get() == "v1"
    with users_of(service.get) as users:
        service.deploy("v2", hold=True)
        assert service.get() == "v1"
        service.deploy("v2")
        assert service.get() == "v2"
        assert service.statuses() == {"blue": "exited", "green": "running"}
        for name, says in (
            (
                "mute",
                r"ended with code 3 before it was healthy; v2 .*\nits last lines:\n  no database$",
            ),
            ("unchecked", "has no health check"),
        ):
            with pytest.raises(CheckFailed, match=says):
                service.deploy(name)
            assert service.get() == "v2"
            assert service.statuses()["green"] == "running"
    assert users.failed == []
    assert users.answered > 10


def test_an_undo(real_service: RealService) -> None:  # noqa: F811 - the fixture
    """The stopped container of the former version serves again, while users ask."""
    service = real_service
    service.deploy("v1")
    service.deploy("v2")
    with users_of(service.get) as users:
        answer = undo(Deployer(service=service.service(), pull=service.pull), service.ids["v2"])
        assert isinstance(answer, Undone)
        assert service.get() == "v1"
        assert service.statuses() == {"blue": "running", "green": "exited"}
    assert users.failed == []
    assert users.answered > 10


def test_a_container_that_dies_while_watched(real_service: RealService) -> None:  # noqa: F811 - the fixture
    """HAProxy falls back by itself, and the former version is back for good within a look."""
    service = real_service
    service.deploy("v1")
    service.monitor = 60.0
    died = threading.Event()

    def kill() -> None:
        while service.proxy.look().servers[0].admin is not Admin.DRAIN:
            service.clock.sleep(0.05)
        green = next(each for each in service.host.containers(service.project, "web") if each.labels.slot == "green")
        service.engine.connection.api().kill(green.id)
        died.set()

    thread = threading.Thread(target=kill)
    thread.start()
    with users_of(service.get) as users:
        with pytest.raises(
            CheckFailed, match=r"v2 .* was taken back .*its container ended with code 137; v1 .* serves"
        ):
            service.deploy("v2")
        thread.join()
        assert service.get() == "v1"
    assert died.is_set()
    assert len(users.failed) <= max(users.answered // 20, 25)


def test_a_port_that_another_program_has(real_service: RealService) -> None:  # noqa: F811 - the fixture
    """It is refused by its number, before or while the container starts, which then is not left behind."""
    service = real_service
    service.deploy("v1")
    port = service.own.slots["green"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(Refused, match=f"port {port} of the slot green is taken"):
            service.deploy("v2")
        blind = _Blind(service.host)
        with pytest.raises(Refused, match=f"does not start on port {port}"):
            service.deploy("v2", service.service(host=blind))
    assert service.statuses() == {"blue": "running"}
    assert service.get() == "v1"
    service.engine.forget("unmoor-test-none")  # the end of a rehearsal
    assert service.statuses() == {}


class _Blind:
    """A host that sees no taken port: another program takes it between the look and the start."""

    def __init__(self, host: ServiceHost) -> None:
        self.host = host

    def __getattr__(self, name: str) -> object:
        return getattr(self.host, name)

    def is_taken(self, _port: int) -> bool:
        """Say no."""
        return False

    containers = property(lambda self: self.host.containers)
    start = property(lambda self: self.host.start)
    start_again = property(lambda self: self.host.start_again)
    stop = property(lambda self: self.host.stop)
    remove = property(lambda self: self.host.remove)
    keep = property(lambda self: self.host.keep)
    log = property(lambda self: self.host.log)
    has_health_check = property(lambda self: self.host.has_health_check)
    ask = property(lambda self: self.host.ask)


@dataclass
class _FusedProxy:
    """A proxy whose changes burn a fuse."""

    inner: Proxy
    fuse: Fuse
    address: str = ""
    backend: str = ""
    state_file: str = ""

    def look(self) -> ProxyState:
        """Look."""
        return self.inner.look()

    def set_admin(self, server: str, admin: Admin) -> None:
        """Burn, then change."""
        self.fuse.burn()
        self.inner.set_admin(server, admin)

    def save(self) -> None:
        """Save."""
        self.inner.save()

    def check_saving(self) -> None:
        """Check."""
        self.inner.check_saving()


class _FusedHost(_Blind):
    """A host whose changes burn a fuse."""

    def __init__(self, host: ServiceHost, fuse: Fuse) -> None:
        super().__init__(host)
        self.fuse = fuse

    def start(self, spec: ContainerSpec) -> None:
        """Burn, then start."""
        self.fuse.burn()
        self.host.start(spec)

    def stop(self, container: ServiceContainer) -> None:
        """Burn, then stop."""
        self.fuse.burn()
        self.host.stop(container)


def fused(service: RealService, fuse: Fuse) -> Service:
    """The service, whose changes burn a fuse."""
    return service.service(proxy=_FusedProxy(service.proxy, fuse), host=_FusedHost(service.host, fuse))


def kills_until_it_ends(act: Callable[[Fuse], object]) -> int:
    """Run something until it ends, killed one change later each time. Returns the number of kills."""
    for at in range(1, 20):
        try:
            act(Fuse(at=at))
        except KilledError:
            continue
        return at - 1
    pytest.fail("it never ended")


def test_killed_at_each_change_the_same_command_goes_on(
    real_service: RealService,  # noqa: F811 - the fixture
) -> None:
    """Each kill leaves a version serving, no request fails, and the last run ends what the first began. Undo, too."""
    service = real_service
    service.monitor = 0.1
    service.deploy("v1")
    with users_of(service.get) as users:
        assert kills_until_it_ends(lambda fuse: service.deploy("v2", fused(service, fuse))) >= 4
        assert serves(service.service().look(), service.ids["v2"])
        assert service.statuses() == {"blue": "exited", "green": "running"}

        def take_back(fuse: Fuse) -> None:
            undo(Deployer(service=fused(service, fuse), pull=service.pull), service.ids["v2"])

        assert kills_until_it_ends(take_back) >= 4
        assert serves(service.service().look(), service.ids["v1"])
        assert service.statuses() == {"blue": "running", "green": "exited"}
        service.deploy("v2")
    assert users.failed == []
    assert set(users.answers) == {"v1", "v2"}
    assert service.get() == "v2"


@dataclass
class _Restart(Fuse):
    """Restarts the proxy at a change."""

    restart: Callable[[], None] = lambda: None

    def burn(self) -> None:
        """Count, and restart it at that change."""
        self.changes += 1
        if self.changes == self.at:
            self.restart()


def test_haproxy_killed_at_each_change(real_service: RealService) -> None:  # noqa: F811 - the fixture
    """The deployment goes on. Users fail only while the proxy is away: what it comes back with is a proven version."""
    service = real_service
    service.monitor = 0.1
    service.deploy("v1")
    with users_of(service.get) as users:
        for at in range(1, 20):
            fuse = _Restart(at=at, restart=service.restart_proxy)
            version = f"v{at % 2 + 1}"
            service.deploy(version, fused(service, fuse))
            assert service.get() == version
            if fuse.changes < at:
                break
    assert len(service.restarted) >= 6
    assert [each for each in users.failed if "status" in each] == []
    assert set(users.answers) == {"v1", "v2"}
