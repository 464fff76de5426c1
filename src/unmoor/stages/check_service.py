"""The stage ``check-service``: ask proxy and engine for all that a service could fail of when the release is public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, Output, StageContext
from unmoor.deploy.service.failures import no_health_check, version_of
from unmoor.deploy.service.stage_parts import ServiceSetup
from unmoor.errors import Incomplete, UnmoorError
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.ports.services import Services
from unmoor.products import Images, Release
from unmoor.products.deployment import CheckedServices
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class CheckService(Check[CheckedServices]):
    """Reads each service's proxy and slots, its state file's folder, and the health check of the image that it runs.

    ``alone``: another job builds the images, so that only proxy and slots are looked at.
    """

    name: str = "check-service"
    release: Output[Release]
    images: Output[Images] | None
    setups: tuple[ServiceSetup, ...]
    alone: bool = False

    @classmethod
    def of(
        cls, request: ReleaseRequest, services: Services, *, release: Output[Release], images: Output[Images] | None
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            images=images,
            setups=tuple(
                ServiceSetup(
                    name=name,
                    project=request.repository,
                    settings=settings,
                    opened=services.deployers.service,
                    clock=services.clock,
                )
                for name, settings in request.settings.service.items()
            ),
            alone=not request.whole,
            advisory=all(each.policy == "advisory" for each in request.settings.service.values()),
        )

    def plan(self) -> str:
        """Say what would be read."""
        return f"read proxy, slots and health check of {', '.join(each.name for each in self.setups)}"

    def make(self, context: StageContext) -> CheckedServices:
        """Read them. Raises the first error that the deployment would meet, too."""
        for setup in self.setups:
            try:
                self._check(setup, context)
            except UnmoorError as error:
                if setup.settings.policy == "required":
                    raise
                context.warn(f"the service {setup.name} cannot be deployed: {error.in_brief(where=True)}")
        return CheckedServices(services=tuple(each.name for each in self.setups))

    def _check(self, setup: ServiceSetup, context: StageContext) -> None:
        if self.images is None and not self.alone:
            context.warn(f"the service {setup.name} is left out: this run has no images")
            return
        ports = setup.open()
        if isinstance(ports, NoService):
            context.warn(f"the service {setup.name} is not checked: {ports.why}")
            return
        self._check_image(setup, ports, context)
        service = setup.service(ports)
        slots = service.look()
        service.check_ports(slots)
        ports.proxy.check_saving()
        if not ports.proxy.state_file:
            context.warn(
                f"{ports.proxy.address} has no state file: if HAProxy restarts, it forgets which slot of {setup.name}"
                " serves"
            )
        context.say(f"the service {setup.name} serves {version_of(slots.serving)}")

    def _check_image(self, setup: ServiceSetup, ports: ServicePorts, context: StageContext) -> None:
        """Look for the health check of the built image, if this machine has it."""
        images = context[self.images].images if self.images is not None else ()
        target = setup.settings.image
        for image in [each for each in images if each.target == target or (not target and len(images) == 1)][:1]:
            try:
                healthy = ports.host.has_health_check(image.id)
            except Incomplete:
                context.say(f"the image of {setup.name} is not on this machine: its health check is not looked for")
                return
            if not healthy:
                raise no_health_check(f"the image {image.summary}")
