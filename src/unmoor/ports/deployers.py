"""The ports of deployments. Each is opened when a stage needs it, so that a release without it imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from unmoor.ports.announcer import Announcer
    from unmoor.ports.docs_service import DocsService
    from unmoor.ports.pages import PagesBranch
    from unmoor.ports.proxy import Proxy
    from unmoor.ports.service_host import ServiceHost
    from unmoor.ports.space_hub import SpaceHub


class ServicePorts(msgspec.Struct, frozen=True, kw_only=True):
    """What leads to one service: its proxy, the machine, the loopback ports of its slots, and its public address.

    In a rehearsal, proxy and ports are the rehearsal's own, and ``prefix`` begins the names of its containers.
    """

    proxy: Proxy
    host: ServiceHost
    slots: Mapping[str, int]
    address: str = ""
    prefix: str = ""


class NoService(msgspec.Struct, frozen=True, kw_only=True):
    """Why this world cannot reach a service.

    ``rehearsal``: it is left out, for HAProxy and an engine, which a rehearsal runs itself, are not everywhere.
    """

    why: str
    rehearsal: bool = False


def _no_services(name: str, _slots: Mapping[str, int], _check: str) -> ServicePorts | NoService:
    return NoService(why=f"this world has no proxy for {name}")


class Deployers(msgspec.Struct, frozen=True, kw_only=True):
    """What deployments talk to, each a function that opens it; ``None`` in a world without such a place.

    ``announcer`` takes the targets of the settings, each with the variable of its address. ``pages`` takes the name of
    a branch, ``docs_service`` that of a project of Read the Docs, ``space`` that of a Space, ``owner/name``.
    ``service`` takes a service's name, its slots with their ports, and the path that the proxy's checks ask for.
    """

    announcer: Callable[[Mapping[str, str]], Announcer] | None = None
    pages: Callable[[str], PagesBranch] | None = None
    docs_service: Callable[[str], DocsService] | None = None
    space: Callable[[str], SpaceHub] | None = None
    service: Callable[[str, Mapping[str, int], str], ServicePorts | NoService] = _no_services
