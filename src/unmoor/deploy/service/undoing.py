"""Bring the former version of a service back into service."""

from __future__ import annotations

from unmoor.core.stage import NotUndone, Undone
from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.failures import version_of
from unmoor.deploy.service.plan import ServiceVersion
from unmoor.deploy.service.slots import Slots
from unmoor.deploy.service.steps import is_begun, without_watch
from unmoor.ports.proxy import Admin


def undo(deployer: Deployer, digest: str) -> Undone | NotUndone:
    """Start the container that served before ``digest``, switch to it, and stop the one of ``digest``.

    A container of ``digest`` that serves nobody is stopped. Raises `CheckFailed` if the former one does not come up:
    then the present one serves as before.
    """
    service = deployer.service
    name = service.plan.name
    slots = service.look()
    serving = slots.serving
    if serving is None or serving.digest != digest:
        return _stop_rest(deployer, slots, digest)
    former = slots.other(serving)
    if former.container is None or not former.digest or former.digest == digest:
        return NotUndone(
            f"the service {name} has no former version here: {serving.held.name} keeps serving {version_of(serving)}"
        )
    labels = former.held.labels
    deployer.progress = without_watch(former.name)
    deployer.deploy(ServiceVersion(digest=labels.digest, tag=labels.tag, image=""))
    return Undone(f"the service {name} serves {version_of(former)} again")


def _stop_rest(deployer: Deployer, slots: Slots, digest: str) -> Undone:
    """Stop what serves nobody: what was held, or what an undo that was killed has switched from."""
    service, serving = deployer.service, slots.serving
    rest = [slot for slot in slots.both if is_begun(slot, digest)]
    if serving is not None and any(not slot.is_set(Admin.MAINT, Admin.MAINT) for slot in rest):
        labels = serving.held.labels
        deployer.progress = without_watch(serving.name)
        deployer.deploy(ServiceVersion(digest=labels.digest, tag=labels.tag, image=""))
    for slot in rest:
        if service.look().named(slot.name).running:
            service.host.stop(slot.held)
    stopped = f", and {rest[0].held.name} was stopped" if rest else ""
    return Undone(f"the service {service.plan.name} serves {version_of(slots.serving)}{stopped}")
