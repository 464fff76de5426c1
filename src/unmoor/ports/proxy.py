"""A proxy in front of a service: which of its servers get requests, and what it counted of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Admin(StrEnum):
    """What somebody told the proxy about a server: take requests, only finish those that it has, or nothing at all."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


class ProxyServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server of the proxy's backend. ``up`` is what the proxy's own checks say, ``check`` the last one's result.

    The counters grow as long as the proxy runs: ``responses`` of the server of any status, ``failed`` of those with a
    status of 500 or above, and ``broken`` requests without an answer. ``latency`` is a moving average in ms until the
    answer begins, ``sessions`` the number of requests that it has now.
    """

    name: str
    address: str
    port: int
    admin: Admin
    up: bool
    backup: bool
    check: str = ""
    sessions: int = 0
    responses: int = 0
    failed: int = 0
    broken: int = 0
    latency: float = 0.0


class ProxyState(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a backend. ``process`` changes if the proxy is restarted, which sets every counter to 0."""

    version: str
    process: str
    servers: tuple[ProxyServer, ...]

    def server(self, name: str) -> ProxyServer | None:
        """The server of that name."""
        return next((each for each in self.servers if each.name == name), None)


class Proxy(Protocol):
    """One backend of one proxy, by its runtime API. Servers are those of the proxy's own configuration."""

    @property
    def address(self) -> str:
        """Where its API is, for messages."""

    @property
    def backend(self) -> str:
        """The name of the backend."""

    @property
    def state_file(self) -> str:
        """The path of the file that a restart of the proxy reads; empty if there is none."""

    def look(self) -> ProxyState:
        """Read servers and counters. Raises `Unknown`, `Denied`, and `ConfigError` if there is no such backend."""

    def set_admin(self, server: str, admin: Admin) -> None:
        """Tell the proxy about a server, and read it back. Raises `Unknown`, `Denied`, `Rejected`."""

    def save(self) -> None:
        """Write the state of all servers to the state file, if there is one. Raises `Denied`, `Refused`."""

    def check_saving(self) -> None:
        """Check that `save` can write, without writing. Raises `Refused`, `Denied`."""
