"""The errors of a version that is not fit to serve, and how messages name a version."""

from __future__ import annotations

from unmoor import advice
from unmoor.deploy.service.slots import Slot
from unmoor.errors import CheckFailed
from unmoor.ports.service_host import ServiceContainer, ServiceHost

_DIGITS = 19
_LINES = 8


def no_health_check(image: str) -> CheckFailed:
    """The error for an image that cannot say whether it is healthy."""
    return CheckFailed(
        f"{image} has no health check, so nothing can tell when it is ready to serve",
        next_step=advice.ADD_HEALTH_CHECK(),
    )


def not_fit(what: str, container: ServiceContainer, host: ServiceHost, *, also: str = "") -> CheckFailed:
    """The error for a container that is not fit to serve, with the end of its log."""
    log = "".join(f"\n  {line}" for line in host.log(container, _LINES))
    says = f"{what}{f'; {also}' if also else ''}"
    return CheckFailed(
        f"{says}\nits last lines:{log}" if log else f"{says}; it printed nothing",
        next_step=advice.READ_CONTAINER_LOG(container=container.name),
    )


def version_of(slot: Slot | None) -> str:
    """The tag and the digest of a slot's container, for messages."""
    if slot is None or slot.container is None:
        return "nothing"
    labels = slot.container.labels
    return f"{labels.tag} ({labels.digest[:_DIGITS]})"
