"""The stage ``service-NAME``: bring the released image into service, and watch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from unmoor import advice
from unmoor.config.service import ServiceSettings
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.deploy.precedence import why_left
from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.plan import ServiceVersion
from unmoor.deploy.service.slots import Slots
from unmoor.deploy.service.stage_parts import ServiceSetup, puller, wanted_version
from unmoor.deploy.service.steps import is_begun, is_held, serves
from unmoor.deploy.service.undoing import undo
from unmoor.errors import ConfigError
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.ports.services import Services
from unmoor.products import Pushed, Release
from unmoor.products.deployment import Deployed
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class DeployService(Push[Deployed]):
    """Runs the pushed image by its digest in the slot that serves nobody, proves it, and switches the proxy to it.

    ``hold``: it is started and proven, and not switched to.
    """

    name: str = "service"
    release: Output[Release]
    pushed: Output[Pushed]
    setup: ServiceSetup
    pull: Callable[[ServiceVersion], str]
    hold: bool = False
    any_version: bool = False

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        service: str,
        release: Output[Release],
        pushed: Output[Pushed],
        verified: Output[Any],
    ) -> Self:
        """Build the stage for a request."""
        settings = request.settings.service[service]
        return cls(
            name=f"service-{service}",
            release=release,
            pushed=pushed,
            setup=ServiceSetup(
                name=service,
                project=request.repository,
                settings=settings,
                opened=services.deployers.service,
                clock=services.clock,
            ),
            pull=puller(services.engine, services.registry),
            hold=request.holds_services,
            any_version=request.any_version,
            after=(verified,),
            advisory=settings.policy == "advisory",
        )

    @property
    def settings(self) -> ServiceSettings:
        """The settings of the service."""
        return self.setup.settings

    def plan(self) -> str:
        """Say what would be started, and what would be switched."""
        slots = " or ".join(self.settings.slots)
        then = "" if self.hold else f", switch the proxy to it and watch it for {self.settings.monitor}"
        return f"run the image of the service {self.setup.name} in the slot {slots}{then}"

    def find(self, context: StageContext) -> Deployed | None:
        """Return the deployment if the released digest serves, healthy and watched to the end.

        One that belongs to a higher version is left out. Raises `Unknown` if proxy or engine
        cannot be read, and `ConfigError` if the proxy's backend is another one.
        """
        ports = self.setup.open()
        if isinstance(ports, NoService):
            self._require_left_out(ports)
            return None
        slots = self.setup.service(ports).look()
        digest = self._wanted(context).digest
        if serves(slots, digest) or (self.hold and is_held(slots, digest)):
            return self._deployed(ports, digest, slots)
        why = why_left(context[self.release], any_version=self.any_version)
        return self._left_out(why) if why else None

    def find_begun(self, context: StageContext) -> Deployed | None:
        """Return what runs of the released digest, though it is not watched to the end or serves nobody."""
        ports = self.setup.open()
        if isinstance(ports, NoService):
            return None
        digest = self._wanted(context).digest
        slots = self.setup.service(ports).look()
        begun = any(is_begun(slot, digest) for slot in slots.both)
        return self._deployed(ports, digest, slots) if begun else None

    def make(self, context: StageContext) -> Deployed:
        """Bring it into service. Raises `CheckFailed` if it is not fit to serve: then the former version does."""
        ports = self.setup.open()
        if isinstance(ports, NoService):
            self._require_left_out(ports)
            context.warn(f"the service {self.setup.name} is left out: {ports.why}")
            return self._left_out(ports.why)
        wanted = self._wanted(context)
        deployer = self._deployer(ports)
        deployer.say, deployer.warn = context.say, context.warn
        deployer.deploy(wanted, hold=self.hold)
        return self._deployed(ports, wanted.digest, self.setup.service(ports).look())

    def undo(self, product: Deployed) -> Undone | NotUndone:
        """Bring the former version back, whose container was only stopped."""
        ports = self.setup.open()
        if isinstance(ports, NoService):
            self._require_left_out(ports)
            return Undone(f"the service {self.setup.name} was left out")
        return undo(self._deployer(ports), product.identity)

    def _require_left_out(self, ports: NoService) -> None:
        """Raise `ConfigError` unless this is a rehearsal that cannot run the service."""
        if not ports.rehearsal:
            name = self.setup.name
            raise ConfigError(
                f"cannot reach the service {name}: {ports.why}", next_step=advice.DESCRIBE_PROXY(name=name)
            )

    @property
    def _what(self) -> str:
        return f"service {self.setup.name}"

    def _wanted(self, context: StageContext) -> ServiceVersion:
        pushed, release = context[self.pushed], context[self.release]
        return wanted_version(self.setup.name, self.settings.image, pushed.images, release)

    def _deployer(self, ports: ServicePorts) -> Deployer:
        return Deployer(service=self.setup.service(ports), pull=self.pull)

    def _left_out(self, why: str) -> Deployed:
        return Deployed(what=self._what, address="", identity="", left_out=(why,))

    def _deployed(self, ports: ServicePorts, digest: str, slots: Slots) -> Deployed:
        when = max((slot.since for slot in slots.both if slot.digest == digest), default=0)
        return Deployed(what=self._what, address=ports.address, identity=digest, when=when)
