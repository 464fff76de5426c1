"""A local world with targets of each kind, and what sends to them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.shells import shell_for_tests

from unmoor.adapters.announce.pool import ApprisePool
from unmoor.ports.shell import Shell
from unmoor.ports.world import Login
from unmoor.rehearsal import local
from unmoor.rehearsal.announce.targets import Caught, caught
from unmoor.util.secret import Secret

KINDS = {"chat": "slack", "talk": "discord", "mail": "mail", "hook": "json"}
TOKENS = ("T00000001", "announce")


@dataclass(frozen=True)
class Catchers:
    """The catchers of a running world."""

    folder: Path
    shell: Shell
    addresses: dict[str, str]
    catcher: str

    def pool(self, *names: str, deadline: float = 20.0, **addresses: str) -> ApprisePool:
        """What sends to targets of this world, and to others by their addresses."""
        every = {name: self.addresses[name] for name in names} | addresses
        logins = {
            name: Login(username="", secret=Secret(address), origin=f"the environment variable {name.upper()}_URL")
            for name, address in every.items()
        }
        return ApprisePool(shell=self.shell, logins=logins, catcher=self.catcher, rehearsal=True, deadline=deadline)

    def messages(self, target: str) -> list[Caught]:
        """What a target has caught."""
        return [each for each in caught(self.folder) if each.target == target]


@contextmanager
def start_catchers(folder: Path) -> Iterator[Catchers]:
    """Start a world that catches."""
    targets = [f"{name}={kind}" for name, kind in KINDS.items()]
    with (
        local.start(folder / "world", repository="acme/demo", checkout=None, announce=targets) as world,
        shell_for_tests() as shell,
    ):
        table = tomllib.loads(world.world_file.read_text("utf-8"))["announce"]
        addresses = {
            name: Path(reference.removeprefix("file:")).read_text("utf-8").strip()
            for name, reference in table["targets"].items()
        }
        yield Catchers(folder=world.folder, shell=shell, addresses=addresses, catcher=table["catcher"])


def token_of(catchers: Catchers) -> str:
    """The secret in every address of the world's chats."""
    token: str = json.loads((catchers.folder / "credentials.json").read_text("utf-8"))["announce"]
    return token
