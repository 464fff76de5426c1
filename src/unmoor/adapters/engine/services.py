"""Containers of services on the engine: they outlive the run, and their labels are the only record of them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from unmoor import advice
from unmoor.adapters.engine.docker import DockerEngine
from unmoor.adapters.process.process_system import LABEL
from unmoor.errors import Incomplete, Refused, Unknown, UnmoorError
from unmoor.ports.service_host import ContainerSpec, ServiceContainer, ServiceLabels, SmokeAnswer
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

T = TypeVar("T")

_PREFIX = "dev.unmoor.service."
_FIELDS = ("project", "service", "slot", "digest", "tag")
_LOOPBACK = "127.0.0.1"
# Seconds that a container gets to end by itself, and that a connection or an answer may take.
_GRACE, _CONNECT, _ANSWER = 10, 1.0, 10.0
_LOG_BYTES = 100_000


@dataclass(frozen=True, kw_only=True)
class EngineServices:
    """Implements `unmoor.ports.service_host.ServiceHost`.

    ``temporary``: the containers belong to this run, as in a rehearsal, and whatever is left of them ends with it.
    """

    engine: DockerEngine
    http: BoundedSession
    temporary: bool = False
    _kept: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False, compare=False)

    def containers(self, project: str, service: str) -> tuple[ServiceContainer, ...]:
        """List the containers of a service; see `unmoor.ports.service_host.ServiceHost`."""
        labels = [f"{_PREFIX}project={project}", f"{_PREFIX}service={service}"]
        if self.temporary:
            labels.append(f"{LABEL}={self.engine.connection.processes.run}")
        listed: list[Mapping[str, Any]] = self.engine.connection.read(
            lambda api: api.containers(all=True, filters={"label": labels}), what="the containers of the service"
        )
        found = []
        for each in listed:
            with contextlib.suppress(LookupError):  # removed meanwhile
                document = self.engine.connection.read(
                    partial(_inspect, name=str(each["Id"])), what="a container of the service"
                )
                # A rehearsal on the same machine has containers of the same service, which end with it.
                if self.temporary or not _is_temporary(document):
                    found.append(_container(document))
        return tuple(sorted(found, key=lambda each: each.name))

    def start(self, spec: ContainerSpec) -> None:
        """Create a container and start it; see `unmoor.ports.service_host.ServiceHost`."""
        labels = {f"{_PREFIX}{name}": getattr(spec.labels, name) for name in _FIELDS}
        if self.temporary:
            processes = self.engine.connection.processes
            labels[LABEL] = processes.run
            # Never left: the end of the run removes its containers.
            self._kept.enter_context(processes.containers(self.engine.connection.address))

        def create(api: Any) -> str:
            inside = f"{spec.inside}/tcp"
            made = api.create_container(
                spec.image,
                name=spec.name,
                ports=[(spec.inside, "tcp")],
                # An init process forwards TERM: as process 1, most programs would ignore it.
                host_config=api.create_host_config(port_bindings={inside: (_LOOPBACK, spec.port)}, init=True),
                labels=labels,
                use_config_proxy=False,
            )
            return str(made["Id"])

        try:
            container = self.engine.connection.ask(create, what=f"a container named {spec.name}")
        except LookupError as error:
            raise Incomplete(f"the engine has no image {spec.image}", next_step=advice.CHECK_ENGINE()) from error
        self._started(spec.name, spec.port, container, remove=True)

    def start_again(self, container: ServiceContainer) -> None:
        """Start a stopped container; see `unmoor.ports.service_host.ServiceHost`."""
        self._started(container.name, container.port, container.id, remove=False)

    def _started(self, name: str, port: int, container: str, *, remove: bool) -> None:
        """Start it. A container that does not start, such as for a taken port, stays behind as ``created``."""
        try:
            self.engine.connection.ask(lambda api: api.start(container), what=f"the container {name}")
        except LookupError as error:
            raise Unknown(f"the container {name} is gone") from error
        except BaseException as error:
            if remove:
                with contextlib.suppress(UnmoorError, LookupError):
                    self._ask_anyway(partial(_remove, name=container), name)
            if isinstance(error, Unknown) and error.cause is None:
                raise Refused(
                    f"the container {name} does not start on port {port}: {error.what}",
                    next_step=advice.FREE_PORT(port=port),
                    retryable=True,
                ) from error
            raise

    def stop(self, container: ServiceContainer) -> None:
        """Stop a container; see `unmoor.ports.service_host.ServiceHost`."""
        self._unless_gone(lambda api: api.stop(container.id, timeout=_GRACE), container)

    def remove(self, container: ServiceContainer) -> None:
        """Remove a container; see `unmoor.ports.service_host.ServiceHost`."""
        self._unless_gone(partial(_remove, name=container.id), container)

    def keep(self, container: ServiceContainer) -> None:
        """Have the engine start it again; see `unmoor.ports.service_host.ServiceHost`."""
        if self.temporary:
            return

        def update(api: Any) -> None:
            api.update_container(container.id, restart_policy={"Name": "unless-stopped"})

        self._unless_gone(update, container)

    def log(self, container: ServiceContainer, lines: int) -> tuple[str, ...]:
        """The last lines of its output; see `unmoor.ports.service_host.ServiceHost`."""
        try:
            data: bytes = self.engine.connection.ask(
                lambda api: api.logs(container.id, stdout=True, stderr=True, tail=lines), what="its log"
            )
        except (LookupError, UnmoorError):
            return ()
        text = data[-_LOG_BYTES:].decode(errors="replace")
        return tuple(line for line in map(clean, text.splitlines()) if line)[-lines:]

    def has_health_check(self, image: str) -> bool:
        """Whether an image has a health check; see `unmoor.ports.service_host.ServiceHost`."""
        try:
            document = self.engine.connection.read(lambda api: api.inspect_image(image), what=f"the image {image}")
        except LookupError as error:
            raise Incomplete(f"the engine has no image {image}") from error
        test = ((document.get("Config") or {}).get("Healthcheck") or {}).get("Test") or ()
        return bool(test) and next(iter(test)) != "NONE"

    def is_taken(self, port: int) -> bool:
        """Whether something listens there; see `unmoor.ports.service_host.ServiceHost`."""
        try:
            socket.create_connection((_LOOPBACK, port), timeout=_CONNECT).close()
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
        return True

    def ask(self, port: int, path: str) -> SmokeAnswer:
        """Send a GET; see `unmoor.ports.service_host.ServiceHost`."""
        try:
            answer = self.http.send("GET", f"http://{_LOOPBACK}:{port}{path}", deadline=_ANSWER)
        except UnmoorError as error:
            return SmokeAnswer(status=0, why=error.what)
        return SmokeAnswer(status=answer.status, why=answer.reason)

    def _ask_anyway(self, question: Callable[[Any], T], name: str) -> None:
        """Ask even while the run is being stopped."""
        self.engine.connection.ask(question, what=f"the container {name}", stopping=True)

    def _unless_gone(self, question: Callable[[Any], T], container: ServiceContainer) -> None:
        with contextlib.suppress(LookupError):
            self.engine.connection.ask(question, what=f"the container {container.name}")


def _inspect(api: Any, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = api.inspect_container(name)
    return found


def _remove(api: Any, name: str) -> None:
    # Anonymous volumes stay: they may hold what the service wrote.
    api.remove_container(name, force=True)


def _is_temporary(document: Mapping[str, Any]) -> bool:
    return LABEL in ((document.get("Config") or {}).get("Labels") or {})


def _container(document: Mapping[str, Any]) -> ServiceContainer:
    """Read one container. Podman and Docker both have this shape."""
    state: Mapping[str, Any] = document.get("State") or {}
    config: Mapping[str, Any] = document.get("Config") or {}
    labels: Mapping[str, str] = config.get("Labels") or {}
    health = str((state.get("Health") or {}).get("Status") or "")
    inside, port = _ports((document.get("HostConfig") or {}).get("PortBindings") or {})
    return ServiceContainer(
        id=str(document["Id"]),
        name=clean(str(document.get("Name", "")).lstrip("/"), 200),
        labels=ServiceLabels(**{name: clean(labels.get(f"{_PREFIX}{name}", ""), 200) for name in _FIELDS}),
        status=clean(str(state.get("Status", "")), 20),
        health="" if health == "none" else clean(health, 20),
        started=str(state.get("StartedAt", "")),
        exit_code=int(state.get("ExitCode") or 0),
        port=port,
        inside=inside,
    )


def _ports(bindings: Mapping[str, Any]) -> tuple[int, int]:
    """The port inside, and the one on this machine; zeros if there is none."""
    for inside, outside in bindings.items():
        number, _, protocol = inside.partition("/")
        ports = [str(each.get("HostPort", "")) for each in outside or ()]
        if protocol == "tcp" and number.isdigit() and len(ports) == 1 and ports[0].isdigit():
            return int(number), int(ports[0])
    return 0, 0
