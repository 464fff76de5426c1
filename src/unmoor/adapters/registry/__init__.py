"""Container registries, and the forge's packages of their repositories.

Implements `unmoor.ports.registry`. Begin with `client`, one repository on one registry; `auth` handles its logins.
"""

from __future__ import annotations

from unmoor import advice
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
    """Return the registry's entry in the world, or else its default address without a login.

    Raises `ConfigError` in a rehearsal without an entry, which would otherwise reach a real registry.
    """
    known = next((place for place in world.registries if place.host == host), None)
    if known is not None:
        return known
    if world.rehearsal:
        raise ConfigError(
            f"this world is for rehearsals and has no entry for the registry {host}",
            next_step=advice.ADD_REGISTRY_TO_WORLD(host=host),
        )
    login = Login(username="", secret=Secret(""), origin=f"none: the world has no entry for {host}")
    return RegistryPlace(host=host, address=f"https://{host}", login=login)


def open_registry(name: str, world: World, http: BoundedSession, clock: Clock | None) -> OciRegistry:
    """Return the repository of an image name. Sends nothing yet. Raises `ConfigError`."""
    image = oci.ImageName.parse(name)
    return OciRegistry(place_of(image.host, world), image.repository, http, clock)


def has_packages(name: str) -> bool:
    """Whether the forge has packages for this registry: only for ghcr.io."""
    return oci.ImageName.parse(name).host == "ghcr.io"


def packages_of(
    name: str, world: World, http: BoundedSession, clock: Clock, pace: Pace | None = None
) -> ForgePackages | None:
    """Return the package of an image on the forge, ``None`` if the forge has none for this registry."""
    if not has_packages(name):
        return None
    return ForgePackages(world.forge, oci.ImageName.parse(name).repository, http, clock, pace)
