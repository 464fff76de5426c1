"""The ports of one run. `unmoor.adapters.factory` chooses the adapters behind them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unmoor.ports.backend import Backend
from unmoor.ports.clock import Clock
from unmoor.ports.deployers import Deployers
from unmoor.ports.engine import Engine
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.inventory import ImageInventory
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.repository_rules import RepositoryRules
from unmoor.ports.resolver import Resolver
from unmoor.ports.scanner import Scanners
from unmoor.ports.shell import Shell
from unmoor.ports.signer import Signing
from unmoor.ports.system import System


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Every port that a run can use.

    ``system`` is that of this machine. ``keys`` opens a key by its name in the settings. ``signing`` is ``None`` in a
    world in which nothing can be signed, ``scanners`` if nothing is scanned. ``deployers`` open what deployments need.
    """

    system: System
    git: Git
    shell: Shell
    clock: Clock
    backend: Backend
    environments: Environments
    resolver: Resolver
    index: Index
    staging: Index | None
    forge: Forge
    rules: RepositoryRules
    engine: Engine
    inventory: ImageInventory
    registry: Callable[[str], Registry]
    packages: Callable[[str], Packages | None]
    keys: Callable[[str], KeySigner]
    signing: Signing | None = None
    scanners: Scanners | None = None
    deployers: Deployers = Deployers()
