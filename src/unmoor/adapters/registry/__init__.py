"""Container registries, and the packages that a forge makes of their repositories.

Implements `unmoor.ports.registry`. Begin with `client`, one repository on one registry; `auth` is how a registry
lets us in.
"""

from __future__ import annotations

from unmoor.adapters.github import Pace
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry.client import OciRegistry
from unmoor.adapters.registry.packages import ForgePackages
from unmoor.artifacts import oci
from unmoor.errors import ConfigError
from unmoor.ports.clock import Clock
from unmoor.ports.world import Login, RegistryPlace, World
from unmoor.util.secret import Secret

__all__ = ["ForgePackages", "OciRegistry", "has_packages", "open_registry", "packages_of", "place_of"]


def place_of(host: str, world: World) -> RegistryPlace:
    """Where a registry is in a world: where the world says, else where its name says, without a login.

    Raises `ConfigError` in a rehearsal that says nothing about it: a real registry would be reached.
    """
    known = next((place for place in world.registries if place.host == host), None)
    if known is not None:
        return known
    if world.rehearsal:
        raise ConfigError(
            f"this world is a rehearsal's, and says nothing about the registry {host}",
            next_step=f'add a table [[registry]] with host = "{host}" and a loopback address to the world file',
        )
    login = Login(username="", secret=Secret(""), origin=f"nowhere: the world says nothing about {host}")
    return RegistryPlace(host=host, address=f"https://{host}", login=login)


def open_registry(name: str, world: World, http: BoundedSession, clock: Clock | None) -> OciRegistry:
    """The repository of an image's name. Nothing is sent yet. Raises `ConfigError`."""
    image = oci.ImageName.parse(name)
    return OciRegistry(place_of(image.host, world), image.repository, http, clock)


def has_packages(name: str) -> bool:
    """Whether the forge keeps the packages of this registry: GitHub's own does."""
    return oci.ImageName.parse(name).host == "ghcr.io"


def packages_of(
    name: str, world: World, http: BoundedSession, clock: Clock, pace: Pace | None = None
) -> ForgePackages | None:
    """The package of an image on the forge, ``None`` where the registry has no such other side."""
    if not has_packages(name):
        return None
    return ForgePackages(world.forge, oci.ImageName.parse(name).repository, http, clock, pace)
