"""The servers of what is deployed beside a release. A world has those that its project's settings need.

Each has a port, a folder and a part of ``world.toml``. Their apps are imported by a world that has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from unmoor.rehearsal.shared.worldfile import Credentials

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HUB: Final = "hub"
"""The hub of Spaces."""
READTHEDOCS: Final = "readthedocs"
"""The service that builds documentation from tags."""


def _hub(folder: Path, base: str, tokens: Credentials) -> ASGIApp:
    from unmoor.rehearsal.hub.app import HubTokens, app

    return app(folder, base=base, tokens=HubTokens(write=tokens.hub, read=tokens.hub_read))


def _hub_table(address: str, tokens: Credentials) -> str:
    return f"\n[space]\naddress = {json.dumps(address)}\ntoken = {json.dumps(tokens.hub)}\n"


def _readthedocs(folder: Path, base: str, tokens: Credentials) -> ASGIApp:
    from unmoor.rehearsal.readthedocs.app import app

    return app(folder, base=base, token=tokens.readthedocs)


def _readthedocs_table(address: str, tokens: Credentials) -> str:
    return f"\n[readthedocs]\naddress = {json.dumps(address)}\ntoken = {json.dumps(tokens.readthedocs)}\n"


_APPS: Final[Mapping[str, Callable[[Path, str, Credentials], ASGIApp]]] = {HUB: _hub, READTHEDOCS: _readthedocs}
_TABLES: Final[Mapping[str, Callable[[str, Credentials], str]]] = {HUB: _hub_table, READTHEDOCS: _readthedocs_table}
NAMES: Final = tuple(_APPS)


def apps(folder: Path, addresses: Mapping[str, str], tokens: Credentials) -> dict[str, ASGIApp]:
    """Return the server at each address, by its name; the state of each is in a folder of that name."""
    return {name: _APPS[name](folder / name, base, tokens) for name, base in addresses.items()}


def tables(addresses: Mapping[str, str], tokens: Credentials) -> str:
    """Return the tables of ``world.toml`` for the servers."""
    return "".join(_TABLES[name](address, tokens) for name, address in addresses.items())
