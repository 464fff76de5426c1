"""Prove a container before users reach it: its own health check, then the smoke requests."""

from __future__ import annotations

from unmoor.deploy.service.failures import no_health_check, not_fit
from unmoor.deploy.service.look import Service
from unmoor.errors import Unknown
from unmoor.ports.poll import growing, poll
from unmoor.ports.service_host import ServiceContainer, SmokeAnswer

PATIENCE = 600.0
"""Seconds until a container has to be healthy. Most say earlier that they are not."""
# From 200 to 399: a service may redirect.
_FINE = (200, 400)
_TRIES = (0.0, 0.5, 1.0)


def prove(service: Service, slot: str, *, also: str = "") -> None:
    """Wait for a slot's container, and ask it. ``also`` ends the message of a failure. Raises `CheckFailed`."""
    plan, host, clock = service.plan, service.host, service.clock

    def container() -> ServiceContainer:
        found = service.look().named(slot).container
        if found is None:
            raise Unknown(f"the container of the slot {slot} of the service {plan.name} is gone")
        return found

    seen = poll(
        container,
        waits=growing(0.2, 2.0),
        clock=clock,
        deadline=PATIENCE,
        until=lambda each: not each.running or each.health != "starting",
    )
    if not seen.running:
        raise not_fit(f"{seen.name} ended with code {seen.exit_code} before it was healthy", seen, host, also=also)
    if not seen.health:
        raise no_health_check(seen.name)
    if seen.health != "healthy":
        after = "" if seen.health == "unhealthy" else f" after {PATIENCE:g} s"
        raise not_fit(f"{seen.name} is {seen.health}{after}, by its own health check", seen, host, also=also)
    for path in plan.smoke:
        answer = _asked(service, slot, path)
        if not _is_fine(answer):
            says = f"answers {answer.status} {answer.why}" if answer.status else f"does not answer: {answer.why}"
            raise not_fit(f"{seen.name} is healthy, but GET {path} {says}", seen, host, also=also)


def _asked(service: Service, slot: str, path: str) -> SmokeAnswer:
    """The answer to a smoke request, in a few tries."""
    port = service.plan.slots[slot]
    return poll(lambda: service.host.ask(port, path), waits=_TRIES, clock=service.clock, until=_is_fine)


def _is_fine(answer: SmokeAnswer) -> bool:
    return _FINE[0] <= answer.status < _FINE[1]
