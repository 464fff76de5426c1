"""The machine that a service runs on: its containers, and requests to them over loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Protocol

import msgspec

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ServiceLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What a container says of itself: the project's repository, the service, its slot, the digest and the tag.

    ``digest`` is the one that was proven and pushed (``sha256:…``), ``tag`` that of the release.
    """

    project: str
    service: str
    slot: str
    digest: str
    tag: str


class ServiceContainer(msgspec.Struct, frozen=True, kw_only=True):
    """One container of a service, as it is now.

    ``status`` is ``created``, ``running``, ``exited``, ``dead`` …; ``health`` is ``starting``, ``healthy``,
    ``unhealthy``, or empty if its image has no health check. ``started`` orders containers by their last start.
    """

    id: str
    name: str
    labels: ServiceLabels
    status: str
    health: str = ""
    started: str = ""
    exit_code: int = 0
    port: int = 0
    """The loopback port that leads to it."""
    inside: int = 0
    """The port inside that it leads to."""

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.status == "running"

    @property
    def since(self) -> int:
        """When it was started last, in seconds since 1970; 0 if the engine does not say."""
        try:
            return max(int(msgspec.convert(self.started, _Moment).timestamp()), 0)
        except (msgspec.ValidationError, OverflowError):
            return 0


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A container to start: ``image`` is the engine's id. ``port`` on loopback leads to ``inside``."""

    name: str
    image: str
    labels: ServiceLabels
    port: int
    inside: int


class SmokeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request: its status, or 0 and why there is none."""

    status: int
    why: str = ""


class ServiceHost(Protocol):
    """Containers that outlive the run, on the local engine."""

    def containers(self, project: str, service: str) -> tuple[ServiceContainer, ...]:
        """List the containers of a service, by their labels, running or not. Raises `Unknown`, `ToolMissing`."""

    def start(self, spec: ContainerSpec) -> None:
        """Create a container and start it. One that does not start is removed. Raises `Refused`, `Unknown`."""

    def start_again(self, container: ServiceContainer) -> None:
        """Start a stopped container. Raises `Refused` if it does not start, `Unknown`."""

    def stop(self, container: ServiceContainer) -> None:
        """Stop a container; after a while it is killed. One that is gone or stopped is fine. Raises `Unknown`."""

    def remove(self, container: ServiceContainer) -> None:
        """Remove a container, running or not. One that is gone is fine. Raises `Unknown`."""

    def keep(self, container: ServiceContainer) -> None:
        """Have the engine start it again if it ends, or if the machine restarts. Raises `Unknown`."""

    def log(self, container: ServiceContainer, lines: int) -> tuple[str, ...]:
        """The last lines of its output, cleaned; none if they cannot be read."""

    def has_health_check(self, image: str) -> bool:
        """Whether an image has a health check of its own. Raises `Incomplete` if there is no such image, `Unknown`."""

    def is_taken(self, port: int) -> bool:
        """Whether something listens on a loopback port."""

    def ask(self, port: int, path: str) -> SmokeAnswer:
        """Send a GET to a loopback port, without following redirects, within seconds. Never raises for the answer."""
