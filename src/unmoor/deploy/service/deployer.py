"""Bring a version into service: look, decide the next step, do it, until nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unmoor.deploy.service.failures import no_health_check, not_fit, version_of
from unmoor.deploy.service.look import Service
from unmoor.deploy.service.plan import ServiceVersion
from unmoor.deploy.service.readiness import prove
from unmoor.deploy.service.slots import SPARE, Slot, Slots
from unmoor.deploy.service.steps import DeployProgress, Step, next_step
from unmoor.deploy.service.watch import LEAST
from unmoor.deploy.service.watching import watch
from unmoor.errors import CheckFailed, Unknown, UnmoorError
from unmoor.ports.proxy import Admin
from unmoor.ports.service_host import ContainerSpec, ServiceHost, ServiceLabels
from unmoor.util.text import count_of, duration
from unmoor.util.values import replace

_MOST_STEPS = 40
# Seconds for the last requests of a drained slot, and between two looks at it.
_DRAINING, _POLL = 60.0, 0.2


def _silent(_text: str) -> None:
    """Say nothing."""


@dataclass(kw_only=True)
class Deployer:
    """One deployment of one service. ``pull`` gets the wanted image and returns the engine's id of it."""

    service: Service
    pull: Callable[[ServiceVersion], str]
    say: Callable[[str], None] = _silent
    warn: Callable[[str], None] = _silent
    progress: DeployProgress = field(default_factory=DeployProgress)

    @property
    def _host(self) -> ServiceHost:
        return self.service.host

    def deploy(self, wanted: ServiceVersion, *, hold: bool = False) -> Slots:
        """Go from step to step. ``hold``: stop before the switch. Raises `CheckFailed` with the former one serving."""
        self.service.proxy.check_saving()
        for _ in range(_MOST_STEPS):
            slots = self.service.look()
            step = next_step(slots, wanted.digest, self.progress, hold=hold)
            if step.step is Step.DONE:
                self._complete(slots.named(step.slot))
                return slots
            self._do(step.step, slots, slots.named(step.slot), wanted)
        raise Unknown(
            f"the service {self.service.plan.name} is not as it was left: something else changes its slots meanwhile"
        )

    def _do(self, step: Step, slots: Slots, slot: Slot, wanted: ServiceVersion) -> None:
        other = slots.other(slot)
        actions: Mapping[Step, Callable[[], None]] = {
            Step.RESTORE: lambda: self.restore(slot, other),
            Step.ISOLATE: lambda: self._tell((slot.name, Admin.MAINT), (slot.name + SPARE, Admin.MAINT)),
            Step.REMOVE: lambda: self._host.remove(slot.held),
            Step.CREATE: lambda: self._create(slots, slot, wanted),
            Step.START: lambda: self._start(slot),
            Step.PROVE: lambda: self._prove(slots, slot),
            Step.SWITCH: lambda: self._switch(slot, other),
            Step.WATCH: lambda: self._watch(slot, other),
            Step.STOP: lambda: self._stop(slot, other),
        }
        actions[step]()

    def restore(self, slot: Slot, other: Slot) -> None:
        """Let a slot serve, with its own twin as fallback, and nothing go to the other one."""
        self._tell(
            (slot.name, Admin.READY),
            (slot.name + SPARE, Admin.READY),
            (other.name, Admin.MAINT),
            (other.name + SPARE, Admin.MAINT),
        )

    def _create(self, slots: Slots, slot: Slot, wanted: ServiceVersion) -> None:
        self.service.check_ports(slots)
        image = self.pull(wanted)
        if not self._host.has_health_check(image):
            raise no_health_check(wanted.image)
        labels = ServiceLabels(
            project=self.service.plan.project,
            service=self.service.plan.name,
            slot=slot.name,
            digest=wanted.digest,
            tag=wanted.tag,
        )
        spec = ContainerSpec(
            name=self.service.plan.container_name(slot.name),
            image=image,
            labels=labels,
            port=self.service.plan.slots[slot.name],
            inside=self.service.plan.port,
        )
        self.say(f"starting {spec.name} from {wanted.image}@{wanted.digest}")
        self._host.start(spec)
        self.progress = replace(self.progress, started=self.progress.started | {slot.name})

    def _start(self, slot: Slot) -> None:
        self.say(f"starting {slot.held.name} again")
        self._host.start_again(slot.held)
        self.progress = replace(self.progress, started=self.progress.started | {slot.name})

    def _prove(self, slots: Slots, slot: Slot) -> None:
        """Prove a slot. If that fails, its container is stopped, unless it is the one that serves."""
        serving = slots.serving
        serves = serving is not None and serving.name == slot.name
        also = "" if serves else f"{version_of(serving)} serves as before"
        try:
            prove(self.service, slot.name, also=also)
        except CheckFailed:
            if not serves:
                self._host.stop(slot.held)
            raise
        self.progress = replace(self.progress, proven=self.progress.proven | {slot.name})

    def _switch(self, slot: Slot, other: Slot) -> None:
        if not other.running:
            self.restore(slot, other)
            self.say(f"{slot.name} serves {version_of(slot)}")
            return
        self._direct(slot, other)
        self.say(f"{slot.name} serves {version_of(slot)}; {other.name} finishes what it has")

    def _direct(self, slot: Slot, other: Slot) -> None:
        """Direct new requests to a slot. The former slot stays the only fallback while the new one is watched."""
        self._tell(
            (slot.name, Admin.READY),
            (other.name + SPARE, Admin.READY),
            (other.name, Admin.DRAIN),
            (slot.name + SPARE, Admin.MAINT),
        )

    def _watch(self, slot: Slot, other: Slot) -> None:
        """Watch the slot. If it fails, the other one serves again, and the slot's container is stopped."""
        self._direct(slot, other)
        if self.service.plan.monitor:
            self.say(f"watching {slot.name} for {duration(self.service.plan.monitor)}")
        outcome = watch(self.service, slot, other, lambda: self._direct(slot, other))
        if outcome.fault:
            raise self._take_back(slot, other, outcome.fault)
        counted = outcome.counted
        if self.service.plan.monitor:
            self.say(f"{counted.failed} of {counted.requests} requests failed while {slot.name} was watched")
        if counted.requests < LEAST and self.service.plan.monitor:
            self.warn(
                f"{slot.name} got {count_of(counted.requests, 'request')} while it was watched, too few to judge it by"
            )
        self.progress = replace(self.progress, watched=self.progress.watched | {slot.name})

    def _take_back(self, slot: Slot, other: Slot, fault: str) -> CheckFailed:
        self.restore(other, slot)
        what = f"{version_of(slot)} was taken back while it was watched: {fault}"
        error = not_fit(what, slot.held, self._host, also=f"{version_of(other)} serves again")
        self._host.stop(slot.held)
        return error

    def _stop(self, slot: Slot, other: Slot) -> None:
        """Stop the former container once its last request is answered. What replaced it gets its own fallback first."""
        self._tell((other.name + SPARE, Admin.READY))
        ends = self.service.clock.now() + _DRAINING
        while self.service.look().named(slot.name).sessions and self.service.clock.now() < ends:
            self.service.clock.sleep(_POLL)
        self._host.keep(other.held)
        self.say(f"stopping {slot.held.name} with {version_of(slot)}, which an undo starts again")
        self._host.stop(slot.held)
        self._tell((slot.name, Admin.MAINT), (slot.name + SPARE, Admin.MAINT))

    def _complete(self, slot: Slot) -> None:
        """Bring the state file up to date, whatever was done, and have the engine keep the container running."""
        if slot.server.admin is Admin.READY:
            self._host.keep(slot.held)
        self.service.proxy.save()

    def _tell(self, *wanted: tuple[str, Admin]) -> None:
        """Tell the proxy what is not so already, in this order, and write the state file after each change.

        A state file that cannot be written stops no change, for users are worse off with half of them.
        """
        state, trouble = self.service.proxy.look(), None
        for server, admin in wanted:
            now = state.server(server)
            if now is not None and now.admin is admin:
                continue
            self.service.proxy.set_admin(server, admin)
            try:
                self.service.proxy.save()
            except UnmoorError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
