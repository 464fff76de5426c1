"""Watch a new version under real requests, and say whether it is to be taken back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unmoor.deploy.service.look import Service
from unmoor.deploy.service.slots import Slot
from unmoor.deploy.service.watch import Counted, Watch
from unmoor.errors import Cause, UnmoorError
from unmoor.ports.proxy import Admin

# Seconds between two looks, how long the proxy may call the new server down, and how long it may not answer itself.
_EVERY, _DOWN, _AWAY = 0.25, 2.0, 30.0


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """How a watch ended: why the version is to be taken back, or nothing, and what was counted."""

    fault: str = ""
    counted: Counted = Counted()


def watch(service: Service, new: Slot, former: Slot, keep_switched: Callable[[], None]) -> Watched:
    """Look until the time is over or something is wrong. ``keep_switched`` repeats the switch at a proxy that forgot.

    Raises `Unknown` if proxy or engine do not answer for long.
    """
    plan, clock = service.plan, service.clock
    state = service.proxy.look()
    seen = Watch.begin(plan.limits, state.process, state.server(new.name) or new.server)
    ends = clock.now() + plan.monitor
    last_up = last_answer = clock.now()
    while clock.now() < ends:
        clock.sleep(min(_EVERY, max(ends - clock.now(), 0.0)))
        try:
            state = service.proxy.look()
            slots = service.slots(state)
            now = slots.named(new.name)
            if state.process != seen.process and not _is_switched(now, slots.named(former.name)):
                keep_switched()
        except UnmoorError as error:
            if error.cause not in {Cause.UNREACHABLE, Cause.LOST} or clock.now() - last_answer > _AWAY:
                raise
            continue
        last_answer = clock.now()
        seen = seen.see(state.process, now.server)
        last_up = last_answer if now.server.up else last_up
        fault = _fault(now, clock.now() - last_up) or seen.fault
        if fault:
            return Watched(fault=fault, counted=seen.counted)
    return Watched(counted=seen.counted)


def _is_switched(new: Slot, former: Slot) -> bool:
    return new.server.admin is Admin.READY and former.is_set(Admin.DRAIN, Admin.READY)


def _fault(slot: Slot, down: float) -> str:
    """What is wrong with the container itself, or by the proxy's own checks."""
    if slot.container is None:
        return "its container is gone"
    if not slot.container.running:
        return f"its container ended with code {slot.container.exit_code}"
    if slot.container.health == "unhealthy":
        return "it is unhealthy, by its own health check"
    if down > _DOWN:
        return f"the proxy calls {slot.name} down: {slot.server.check}"
    return ""
