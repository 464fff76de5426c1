"""What the stages of services share: from settings and ports to a service and its deployer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from unmoor import advice
from unmoor.config.amounts import seconds_of, share_of
from unmoor.config.service import ServiceSettings
from unmoor.deploy.service.look import Service
from unmoor.deploy.service.plan import ServicePlan, ServiceVersion
from unmoor.deploy.service.watch import WatchLimits
from unmoor.errors import ConfigError
from unmoor.ports.clock import Clock
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.ports.engine import Engine
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release

_MS = 1000.0


class ServiceSetup(msgspec.Struct, frozen=True, kw_only=True):
    """One service of the settings, before its ports are opened. ``project`` is the repository."""

    name: str
    project: str
    settings: ServiceSettings
    opened: Callable[[str, Mapping[str, int], str], ServicePorts | NoService]
    clock: Clock

    def open(self) -> ServicePorts | NoService:
        """Open what leads to it."""
        smoke = self.settings.smoke
        return self.opened(self.name, self.settings.slots, smoke[0] if smoke else "/")

    def service(self, ports: ServicePorts) -> Service:
        """The service behind opened ports."""
        return Service(plan=self.plan(ports), proxy=ports.proxy, host=ports.host, clock=self.clock)

    def plan(self, ports: ServicePorts) -> ServicePlan:
        """What the settings say, with the ports of this world."""
        settings = self.settings
        return ServicePlan(
            name=self.name,
            project=self.project,
            port=settings.port,
            slots=ports.slots,
            smoke=settings.smoke,
            monitor=seconds_of(settings.monitor),
            limits=WatchLimits(errors=share_of(settings.max_errors), latency=seconds_of(settings.max_latency) * _MS),
            prefix=ports.prefix,
        )


def wanted_version(name: str, target: str, images: Sequence[PushedImage], release: Release) -> ServiceVersion:
    """The pushed image that a service runs, by the digest that was proven. Raises `ConfigError` if it is not one."""
    found = [image for image in images if image.target == target]
    if not found and not target and len({image.target for image in images}) == 1:
        found = list(images)
    if not found:
        targets = ", ".join(dict.fromkeys(image.target or "the last stage" for image in images)) or "none"
        raise ConfigError(
            f"the service {name} runs the image {target or 'of the last stage'!r}, and this release has: {targets}",
            next_step=advice.NAME_SERVICE_IMAGE(name=name),
        )
    return ServiceVersion(digest=found[0].digest, tag=release.tag, image=found[0].name)


def puller(engine: Engine, registry: Callable[[str], Registry]) -> Callable[[ServiceVersion], str]:
    """Return what gets an image by its digest and returns the engine's id of it."""

    def pull(wanted: ServiceVersion) -> str:
        place = registry(wanted.image)
        name = f"{place.address}@{wanted.digest}"
        there = engine.look(name)
        if there is not None:
            return there.id
        return engine.pull(name, login=place.login if place.login.secret else None)

    return pull
