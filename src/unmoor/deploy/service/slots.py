"""The two slots of a service, as engine and proxy describe them."""

from __future__ import annotations

import msgspec

from unmoor.errors import Unknown
from unmoor.ports.proxy import Admin, ProxyServer
from unmoor.ports.service_host import ServiceContainer

SPARE = "-spare"
"""What the name of a slot's backup twin ends with."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One slot: its server at the proxy, the backup twin of that server, and its container if there is one.

    ``fits``: the container has the ports of the settings, so that the proxy reaches it.
    """

    name: str
    server: ProxyServer
    spare: ProxyServer
    container: ServiceContainer | None = None
    fits: bool = True

    @property
    def running(self) -> bool:
        """Whether its container runs."""
        return self.container is not None and self.container.running

    @property
    def digest(self) -> str:
        """The digest of its container, empty if there is none that fits."""
        return self.container.labels.digest if self.container is not None and self.fits else ""

    @property
    def since(self) -> int:
        """When its container was started last, in seconds since 1970; 0 if nobody knows."""
        return self.container.since if self.container is not None else 0

    @property
    def held(self) -> ServiceContainer:
        """Its container. Raises `Unknown` if there is none any more."""
        if self.container is None:
            raise Unknown(f"the container of the slot {self.name} is gone")
        return self.container

    @property
    def sessions(self) -> int:
        """The requests that it still has to answer."""
        return self.server.sessions + self.spare.sessions

    def is_set(self, admin: Admin, spare: Admin) -> bool:
        """Whether the proxy was told so about the server and its twin."""
        return self.server.admin is admin and self.spare.admin is spare


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """Both slots, in the order of the settings."""

    first: Slot
    second: Slot

    @property
    def both(self) -> tuple[Slot, Slot]:
        """The first one and the second one."""
        return self.first, self.second

    def named(self, name: str) -> Slot:
        """The slot of that name. Raises `KeyError`."""
        for slot in self.both:
            if slot.name == name:
                return slot
        raise KeyError(name)

    def other(self, slot: Slot) -> Slot:
        """The other slot."""
        return self.second if slot.name == self.first.name else self.first

    @property
    def serving(self) -> Slot | None:
        """The slot that users reach, or would reach if the proxy had not lost its state; ``None`` if there is none.

        With both ready, a switch was killed in the middle, or the proxy restarted without its state: then it is the one
        that was started first, for the other one was to replace it. A drained container is the former version, to which
        the proxy falls back if the new one dies. One in maintenance waits to be proven, and serves nobody.
        """
        running = [slot for slot in self.both if slot.running and slot.fits]
        for admin in (Admin.READY, Admin.DRAIN):
            found = [slot for slot in running if slot.server.admin is admin]
            if found:
                return min(found, key=lambda slot: slot.container.started if slot.container else "")
        return None
