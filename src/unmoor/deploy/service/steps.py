"""What to do next: one decision from the two slots, without memory beyond this run.

Each step leaves the service as it was or as it should be for users, so that a deployment can be killed between any two,
and the next look at the slots gives the step to go on with.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor.deploy.service.slots import Slot, Slots
from unmoor.ports.proxy import Admin


class Step(StrEnum):
    """One step, in the order of a deployment."""

    RESTORE = "restore"
    """Give the serving slot its requests back: another one is ready and dead."""
    ISOLATE = "isolate"
    """Let the proxy send nothing to the slot, nor to its twin."""
    REMOVE = "remove"
    """Remove the slot's container, which is of another version or never started."""
    CREATE = "create"
    """Start a container of the wanted digest in the slot."""
    START = "start"
    """Start the slot's stopped container, which has the wanted digest."""
    PROVE = "prove"
    """Wait until the slot's container is healthy, and send it the smoke requests."""
    SWITCH = "switch"
    """Make the slot ready, and drain the other one."""
    WATCH = "watch"
    """Watch the slot under real requests, with the other one as its fallback."""
    STOP = "stop"
    """Stop the slot's container, which nobody uses any more, and keep it for an undo."""
    DONE = "done"
    """The slot serves the wanted digest, or holds it ready to."""


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """A step and its slot."""

    step: Step
    slot: str


class DeployProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What this run has done itself: the slots whose container it started, those it proved, and those it watched."""

    started: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()


def next_step(slots: Slots, digest: str, progress: DeployProgress, *, hold: bool = False) -> Next:
    """Decide the next step towards a slot that serves ``digest``. ``hold``: it is to be proven, but serve nobody."""
    serving = slots.serving
    if serving is not None and serving.digest == digest:
        return _finish(slots, serving, progress)
    return _replace(slots, _candidate(slots, serving, digest), digest, progress, hold=hold)


def serves(slots: Slots, digest: str) -> bool:
    """Whether the deployment of a digest is complete: it serves and is healthy, and was watched to the end."""
    serving = slots.serving
    if serving is None or serving.digest != digest or serving.held.health != "healthy":
        return False
    other = slots.other(serving)
    held = not other.running or other.server.admin is Admin.MAINT
    return serving.server.admin is Admin.READY and held


def is_held(slots: Slots, digest: str) -> bool:
    """Whether a digest was started with ``--hold``: healthy, and out of the proxy's reach."""
    return any(
        slot.container is not None
        and slot.running
        and slot.digest == digest
        and slot.container.health == "healthy"
        and slot.is_set(Admin.MAINT, Admin.MAINT)
        for slot in slots.both
    )


def is_begun(slot: Slot, digest: str) -> bool:
    """Whether a run has begun something with a digest in a slot: it runs, or the proxy would still use it."""
    return slot.digest == digest and (slot.running or not slot.is_set(Admin.MAINT, Admin.MAINT))


def _finish(slots: Slots, serving: Slot, progress: DeployProgress) -> Next:
    """The wanted digest serves: prove it once, watch it, stop the former one."""
    other = slots.other(serving)
    if serving.server.admin is not Admin.READY:
        return Next(step=Step.RESTORE, slot=serving.name)
    if serving.name not in progress.proven:
        return Next(step=Step.PROVE, slot=serving.name)
    if other.running and other.server.admin is Admin.DRAIN:
        watched = serving.name in progress.watched
        return Next(step=Step.STOP, slot=other.name) if watched else Next(step=Step.WATCH, slot=serving.name)
    # Nothing runs in the other slot, or what runs there waits for its own release.
    if not other.is_set(Admin.MAINT, Admin.MAINT):
        return Next(step=Step.ISOLATE, slot=other.name)
    has_fallback = serving.spare.admin is Admin.READY
    return Next(step=Step.DONE if has_fallback else Step.RESTORE, slot=serving.name)


def _candidate(slots: Slots, serving: Slot | None, digest: str) -> Slot:
    """The slot for the wanted digest: never the one that serves; that of its container, or an empty one."""
    if serving is not None:
        return slots.other(serving)
    own = [slot for slot in slots.both if slot.digest == digest]
    empty = [slot for slot in slots.both if slot.container is None]
    return next(iter((*own, *empty, slots.first)))


def _replace(slots: Slots, slot: Slot, digest: str, progress: DeployProgress, *, hold: bool) -> Next:
    """Another digest serves, or none: bring the wanted one up in the slot, out of reach until it is proven."""
    serving = slots.serving
    if serving is not None and serving.server.admin is not Admin.READY:
        return Next(step=Step.RESTORE, slot=serving.name)
    proven = slot.running and slot.digest == digest and slot.name in progress.proven
    if not proven and not slot.is_set(Admin.MAINT, Admin.MAINT):
        return Next(step=Step.ISOLATE, slot=slot.name)
    started = slot.name in progress.started
    return Next(step=_bring_up(slot, digest, started=started, proven=proven, hold=hold), slot=slot.name)


def _bring_up(slot: Slot, digest: str, *, started: bool, proven: bool, hold: bool) -> Step:
    """The next step for a slot that is out of the proxy's reach, or proven."""
    if slot.container is None:
        return Step.CREATE
    if slot.digest != digest or slot.container.status not in {"running", "exited"}:
        return Step.REMOVE
    if not slot.running and not started:
        return Step.START
    if not proven:
        return Step.PROVE
    return Step.DONE if hold else Step.SWITCH


def without_watch(slot: str) -> DeployProgress:
    """The progress of a run that goes back to a version, which was watched when it was new."""
    return DeployProgress(watched=frozenset({slot}))
