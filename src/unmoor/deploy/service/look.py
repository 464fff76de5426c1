"""Look at a service: its containers, and what its proxy does with them."""

from __future__ import annotations

import msgspec

from unmoor import advice
from unmoor.deploy.service.plan import ServicePlan
from unmoor.deploy.service.slots import SPARE, Slot, Slots
from unmoor.errors import ConfigError, Refused
from unmoor.ports.clock import Clock
from unmoor.ports.proxy import Proxy, ProxyServer, ProxyState
from unmoor.ports.service_host import ServiceHost

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service, and the ports that lead to it."""

    plan: ServicePlan
    proxy: Proxy
    host: ServiceHost
    clock: Clock

    def look(self) -> Slots:
        """Read proxy and engine. Raises `ConfigError` if the backend does not have these slots, `Unknown`."""
        return self.slots(self.proxy.look())

    def slots(self, state: ProxyState) -> Slots:
        """The slots of a proxy's state, with the containers in them."""
        plan = self.plan
        _check_backend(plan, self.proxy, state)
        containers = {each.labels.slot: each for each in self.host.containers(plan.project, plan.name)}
        slots = []
        for name, port in plan.slots.items():
            server, spare, container = state.server(name), state.server(name + SPARE), containers.get(name)
            assert server is not None  # noqa: S101 - checked above
            assert spare is not None  # noqa: S101 - checked above
            fits = container is None or (container.port, container.inside) == (port, plan.port)
            slots.append(Slot(name=name, server=server, spare=spare, container=container, fits=fits))
        first, second = slots
        return Slots(first=first, second=second)

    def check_ports(self, slots: Slots) -> None:
        """Check that nothing else listens on the ports of the slots. Raises `Refused`."""
        for slot in slots.both:
            port = self.plan.slots[slot.name]
            if not slot.running and self.host.is_taken(port):
                raise Refused(
                    f"port {port} of the slot {slot.name} is taken, and no container of {self.plan.name} has it",
                    next_step=advice.FREE_PORT(port=port),
                    retryable=True,
                )


def _check_backend(plan: ServicePlan, proxy: Proxy, state: ProxyState) -> None:
    faults = []
    for name, port in plan.slots.items():
        for server, backup in ((name, False), (name + SPARE, True)):
            if fault := _fault(state.server(server), port, backup=backup):
                faults.append(f"{server} {fault}")
    if faults:
        raise ConfigError(
            f"the backend {proxy.backend} does not fit the service {plan.name}: {'; '.join(faults)}",
            where=proxy.address,
            next_step=advice.PRINT_PROXY_CONFIG(name=plan.name),
        )


def _fault(server: ProxyServer | None, port: int, *, backup: bool) -> str:
    if server is None:
        return "is missing"
    if server.address not in _LOOPBACK or server.port != port:
        return f"is at {server.address}:{server.port}, expected 127.0.0.1:{port}"
    if server.backup != backup:
        return "is no backup server" if backup else "is a backup server"
    return ""
