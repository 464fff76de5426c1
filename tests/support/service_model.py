"""A proxy and an engine in memory, as the deployment of a service sees them, and a way to be killed at any change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.look import Service
from unmoor.deploy.service.plan import ServicePlan, ServiceVersion
from unmoor.deploy.service.slots import SPARE
from unmoor.deploy.service.watch import WatchLimits
from unmoor.errors import Refused
from unmoor.ports.proxy import Admin, ProxyServer, ProxyState
from unmoor.ports.service_host import ContainerSpec, ServiceContainer, SmokeAnswer
from unmoor.util.values import replace

PORTS: Mapping[str, int] = {"blue": 9101, "green": 9102}
OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
TAGS = {OLD: "v1.0", NEW: "v2.0"}


def _server_ports() -> dict[str, int]:
    return {each: PORTS[each.removesuffix(SPARE)] for each in _servers()}


def _servers() -> tuple[str, ...]:
    return (*PORTS, *(name + SPARE for name in PORTS))


class KilledError(BaseException):
    """The command was killed."""


@dataclass
class Fuse:
    """Kills at the change with this number, counted from 1; 0 never does."""

    at: int = 0
    changes: int = 0

    def burn(self) -> None:
        """Count a change that is about to happen."""
        self.changes += 1
        if self.changes == self.at:
            raise KilledError


@dataclass
class ModelClock:
    """A clock that goes on when somebody waits."""

    time: float = 0.0
    tick: Callable[[float], None] = lambda _time: None
    patience: float = math.inf

    def now(self) -> float:
        """Seconds since the beginning."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Go on."""
        self.time += seconds
        self.tick(self.time)


@dataclass
class ModelHost:
    """Containers in memory; each start of one makes it the youngest. ``unfit`` digests never become healthy."""

    fuse: Fuse = field(default_factory=Fuse)
    found: dict[str, ServiceContainer] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    status: int = 200
    starts: int = 0
    health_check: bool = True
    kept: set[str] = field(default_factory=set)

    def containers(self, _project: str, _service: str) -> tuple[ServiceContainer, ...]:
        """Return all of them."""
        return tuple(self.found.values())

    def start(self, spec: ContainerSpec) -> None:
        """Start one; the engine refuses a second of the same name, as well as a taken port."""
        self.fuse.burn()
        if spec.port in self.taken or spec.name in self.found:
            raise Refused(f"port {spec.port} is taken", retryable=True)
        container = ServiceContainer(
            id=spec.name, name=spec.name, labels=spec.labels, status="created", port=spec.port, inside=spec.inside
        )
        self.found[spec.name] = container
        self.start_again(container)

    def start_again(self, container: ServiceContainer) -> None:
        """Start a container."""
        self.fuse.burn()
        self.starts += 1
        health = "unhealthy" if container.labels.digest in self.unfit else "healthy"
        self.found[container.name] = replace(
            container, status="running", health=health, started=f"{self.starts:06}", exit_code=0
        )

    def stop(self, container: ServiceContainer) -> None:
        """Stop one."""
        self.fuse.burn()
        self.end(container.name, 143)

    def end(self, name: str, code: int) -> None:
        """Let one end."""
        self.found[name] = replace(self.found[name], status="exited", exit_code=code)

    def remove(self, container: ServiceContainer) -> None:
        """Remove one."""
        self.fuse.burn()
        self.found.pop(container.name, None)

    def keep(self, container: ServiceContainer) -> None:
        """Note it."""
        self.kept.add(container.name)

    def log(self, _container: ServiceContainer, _lines: int) -> tuple[str, ...]:
        """Return a line."""
        return ("cannot open the database",)

    def has_health_check(self, _image: str) -> bool:
        """Say what the test says."""
        return self.health_check

    def is_taken(self, port: int) -> bool:
        """Whether the port is taken by another program."""
        return port in self.taken

    def ask(self, _port: int, _path: str) -> SmokeAnswer:
        """SmokeAnswer what the test says."""
        return SmokeAnswer(status=self.status, why="reason")


@dataclass
class ModelProxy:
    """A backend in memory. A server is up if its slot's container runs. ``counted`` adds counters by server."""

    host: ModelHost
    fuse: Fuse
    admin: dict[str, Admin] = field(default_factory=lambda: dict.fromkeys(_servers(), Admin.READY))
    ports: dict[str, int] = field(default_factory=_server_ports)
    counted: dict[str, dict[str, float]] = field(default_factory=dict)
    process: str = "1"
    saved: int = 0
    address: str = "/run/haproxy.sock"
    backend: str = "web"
    state_file: str = "/var/lib/haproxy/state"
    unservable: list[str] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    def look(self) -> ProxyState:
        """Return every server."""
        running = {each.port for each in self.host.found.values() if each.running}
        return ProxyState(
            version="2.6",
            process=self.process,
            servers=tuple(
                ProxyServer(
                    name=name,
                    address="127.0.0.1",
                    port=port,
                    admin=self.admin[name],
                    up=port in running and self.admin[name] is not Admin.MAINT and name not in self.down,
                    backup=name.endswith(SPARE),
                    **self.counted.get(name, {}),  # type: ignore[arg-type]
                )
                for name, port in self.ports.items()
            ),
        )

    def set_admin(self, server: str, admin: Admin) -> None:
        """Change one."""
        self.fuse.burn()
        self.admin[server] = admin

    def save(self) -> None:
        """Count."""
        self.saved += 1

    def check_saving(self) -> None:
        """Do nothing."""

    def restart(self, *, remembers: bool) -> None:
        """Begin again: with the state file it remembers."""
        self.process = str(int(self.process) + 1)
        self.counted.clear()
        if not remembers:
            self.admin.update(dict.fromkeys(self.admin, Admin.READY))

    def users(self) -> set[str]:
        """The digests that users reach: those of ready servers that are up, else of the first twin that is."""
        up = {each.name for each in self.look().servers if each.up}
        ready = [name for name in PORTS if self.admin[name] is Admin.READY and name in up]
        twins = [name + SPARE for name in PORTS if self.admin[name + SPARE] is Admin.READY and name + SPARE in up]
        names = ready or twins[:1]
        ports = {self.ports[name] for name in names}
        return {each.labels.digest for each in self.host.found.values() if each.port in ports and each.running}


@dataclass
class Model:
    """One service in memory."""

    fuse: Fuse = field(default_factory=Fuse)
    clock: ModelClock = field(default_factory=ModelClock)
    monitor: float = 1.0
    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = ModelHost(fuse=self.fuse)
        self.proxy = ModelProxy(host=self.host, fuse=self.fuse)

    @property
    def service(self) -> Service:
        """The service as the deployment has it."""
        plan = ServicePlan(
            name="web",
            project="acme/demo",
            port=8000,
            slots=PORTS,
            smoke=("/health",),
            monitor=self.monitor,
            limits=WatchLimits(errors=0.01, latency=500.0),
        )
        return Service(plan=plan, proxy=self.proxy, host=self.host, clock=self.clock)

    def deployer(self) -> Deployer:
        """Return a deployer, as a new run of the command has it."""
        return Deployer(
            service=self.service, pull=lambda wanted: wanted.digest, say=self.said.append, warn=self.warned.append
        )

    def deploy(self, digest: str, *, hold: bool = False) -> None:
        """Run the command."""
        self.deployer().deploy(wanted(digest), hold=hold)

    def killed(self, act: Callable[[], object], at: int) -> bool:
        """Run something until it is killed at a change. Returns whether it was."""
        self.fuse.at, self.fuse.changes = at, 0
        try:
            act()
        except KilledError:
            return True
        finally:
            self.fuse.at = 0
        return False


def wanted(digest: str) -> ServiceVersion:
    """A version to serve."""
    return ServiceVersion(digest=digest, tag=TAGS.get(digest, "v9.9"), image="ghcr.io/acme/demo")


def deployed(*digests: str, monitor: float = 1.0) -> Model:
    """A service to which these versions were deployed, one after the other."""
    model = Model(monitor=monitor)
    for digest in digests:
        model.deploy(digest)
    model.said.clear()
    model.warned.clear()
    model.host.kept.clear()
    return model
