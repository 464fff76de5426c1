"""Open what leads to a service: in the real world the configured proxy, in a rehearsal one of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import ToolMissing
from unmoor.ports.clock import Clock
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.ports.world import ProxyPlace, World

if TYPE_CHECKING:
    from unmoor.adapters.engine import DockerEngine


@dataclass(frozen=True, kw_only=True)
class ServiceOpener:
    """Opens the ports of each service of a world once. Called with a name, slots and the path of the proxy's checks."""

    world: World
    engine: DockerEngine
    processes: Processes
    clock: Clock
    _opened: dict[str, ServicePorts | NoService] = field(default_factory=dict)

    def __call__(self, name: str, slots: Mapping[str, int], check: str) -> ServicePorts | NoService:
        """Open one; see `unmoor.ports.deployers.Deployers`."""
        if name not in self._opened:
            place = self.world.proxy(name)
            if self.world.rehearsal:
                self._opened[name] = self._rehearsed(name, slots, check)
            elif place is None:
                self._opened[name] = NoService(why=f"the world {self.world.name} has no table [proxy.{name}]")
            elif is_absent(place):
                self._opened[name] = NoService(
                    why=f"this machine has no proxy at {place.socket}, and no world file names another"
                )
            else:
                self._opened[name] = self._real(name, slots, place)
        return self._opened[name]

    def _real(self, name: str, slots: Mapping[str, int], place: ProxyPlace) -> ServicePorts:
        from unmoor.adapters.engine.services import EngineServices
        from unmoor.adapters.http.session import BoundedSession
        from unmoor.adapters.proxy import HaProxy

        proxy = HaProxy(service=name, socket=place.socket, state_file=place.state, backend=name, clock=self.clock)
        host = EngineServices(engine=self.engine, http=BoundedSession(direct=True))
        return ServicePorts(proxy=proxy, host=host, slots=slots, address=place.address)

    def _rehearsed(self, name: str, slots: Mapping[str, int], check: str) -> ServicePorts | NoService:
        from unmoor.adapters.engine.services import EngineServices
        from unmoor.adapters.http.session import BoundedSession
        from unmoor.adapters.proxy.own_proxy import find_haproxy, start_own_proxy

        program = find_haproxy(os.environ)
        if not program:
            return NoService(why="haproxy is not installed here, and a rehearsal needs one of its own", rehearsal=True)
        try:
            self.engine.connection.api()
        except ToolMissing as error:
            return NoService(why=error.what, rehearsal=True)
        own = start_own_proxy(program, name, slots, check, processes=self.processes, clock=self.clock)
        host = EngineServices(engine=self.engine, http=BoundedSession(direct=True), temporary=True)
        prefix = f"unmoor-{self.processes.run[:12]}"
        return ServicePorts(proxy=own.api, host=host, slots=own.slots, address=own.address, prefix=prefix)


def is_absent(place: ProxyPlace) -> bool:
    """Whether this machine has no proxy, and nothing says that it should: the usual place, without a socket."""
    return not place.service and not Path(place.socket).exists()
