"""What a stranger reads a release with: no login, no checkout. Nothing is sent that changes anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge
from unmoor.ports.index import Index
from unmoor.ports.registry import Registry
from unmoor.ports.signer import StrangersVerifier
from unmoor.ports.world import Login, World
from unmoor.util.secret import Secret
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession
    from unmoor.adapters.sigstore.trust import TrustFiles

_GITHUB = "https://github.com"
_NOBODY = Login(username="", secret=Secret(""), origin="nowhere: this command uses no credentials")


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """The surfaces of a world, read without credentials. ``forge`` and ``registry`` open a repository by its name."""

    forge: Callable[[str], Forge]
    index: Index
    registry: Callable[[str], Registry]
    verifier: StrangersVerifier


def create_readers(world: World, http: BoundedSession, clock: Clock, *, trust: TrustFiles | None = None) -> Readers:
    """Create what reads a world. Reads nothing yet.

    ``trust`` are trusted roots. Without them, the public instance of Sigstore is asked for its own, and GitHub for the
    keys with which it signs what it says itself.
    """
    from unmoor.adapters import registry
    from unmoor.adapters.forge import GitHubForge
    from unmoor.adapters.index import PackageIndex
    from unmoor.adapters.sigstore.trust import GitHubTrust, Trust
    from unmoor.adapters.sigstore.verifier import SigstoreVerifier

    world = without_logins(world)
    return Readers(
        forge=cache(lambda name: GitHubForge(replace(world.forge, repository=name), http, clock)),
        index=PackageIndex(world.index, http, clock),
        registry=cache(lambda name: registry.open_registry(name, world, http, clock)),
        verifier=SigstoreVerifier(
            trust=trust or Trust(path=""),
            forge_trust=GitHubTrust() if trust is None and world.forge.site == _GITHUB else None,
        ),
    )


def without_logins(world: World) -> World:
    """Return the world with no login for anything."""
    return replace(
        world,
        index=replace(world.index, login=_NOBODY),
        staging=replace(world.staging, login=_NOBODY) if world.staging else None,
        forge=replace(world.forge, login=_NOBODY),
        registries=tuple(replace(each, login=_NOBODY) for each in world.registries),
        signing=replace(world.signing, token=_NOBODY) if world.signing else None,
    )
