"""Find the logins of container registries that have no entry in the world."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from unmoor.ports.world import Login, RegistryPlace, World
from unmoor.util.secret import Secret
from unmoor.util.values import replace

GITHUB = "ghcr.io"


def variables_of(host: str) -> tuple[str, str]:
    """The variables of a registry's user and password, such as ``UNMOOR_REGISTRY_DOCKER_IO_USERNAME``."""
    stem = "UNMOOR_REGISTRY_" + re.sub(r"[^A-Z0-9]", "_", host.upper())
    return f"{stem}_USERNAME", f"{stem}_PASSWORD"


def with_registries(world: World, hosts: Iterable[str], environ: Mapping[str, str]) -> World:
    """Add each needed registry that is not in the world yet. Adds none to a rehearsal."""
    if world.rehearsal:
        return world
    known = {place.host for place in world.registries}
    added = tuple(
        RegistryPlace(host=host, address=f"https://{host}", login=_login(host, world, environ))
        for host in dict.fromkeys(hosts)
        if host not in known
    )
    return replace(world, registries=(*world.registries, *added))


def _login(host: str, world: World, environ: Mapping[str, str]) -> Login:
    """The login from the registry's own variables, or for GitHub's registry from the forge's token."""
    user, password = variables_of(host)
    if environ.get(password):
        return Login(username=environ.get(user, ""), secret=Secret(environ[password]), origin=password)
    if host == GITHUB and world.forge.login.secret:
        actor = environ.get("GITHUB_ACTOR") or world.forge.repository.partition("/")[0]
        return Login(username=actor, secret=world.forge.login.secret, origin=world.forge.login.origin)
    return Login(username="", secret=Secret(""), origin=f"nowhere: {password} is not set")
