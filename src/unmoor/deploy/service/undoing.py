"""Bring the former version of a service back into service."""

from __future__ import annotations

from unmoor.core.stage import NotUndone, Undone
from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.failures import version_of
from unmoor.deploy.service.plan import ServiceVersion
from unmoor.deploy.service.slots import Slots
from unmoor.deploy.service.steps import without_watch


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
        return _stop_held(deployer, slots, digest)
    former = slots.other(serving)
    if former.container is None or not former.digest or former.digest == digest:
        return NotUndone(
            f"the service {name} has no former version here: {serving.held.name} keeps serving {version_of(serving)}"
        )
    labels = former.held.labels
    deployer.progress = without_watch(former.name)
    deployer.deploy(ServiceVersion(digest=labels.digest, tag=labels.tag, image=""))
    return Undone(f"the service {name} serves {version_of(former)} again")


def _stop_held(deployer: Deployer, slots: Slots, digest: str) -> Undone:
    """Stop what was started and not switched to."""
    service = deployer.service
    held = [slot for slot in slots.both if slot.running and slot.digest == digest]
    for slot in held:
        service.host.stop(slot.held)
    stopped = f", and {held[0].held.name} was stopped" if held else ""
    return Undone(f"the service {service.plan.name} serves {version_of(slots.serving)}{stopped}")
