"""The credentials of a local world, and the ``world.toml`` that describes it."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.filesystem.commands import remove_command
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.ports.world import WheelPlatforms
from unmoor.rehearsal.shared.api_tokens import new_token, of_publisher, of_user
from unmoor.util.decode import decode_json

WORLD = "world.toml"
CREDENTIALS = "credentials.json"
TRUST = "trust.json"
FORGE_TRUST = "forge-root.json"
USER = "rehearsal"
_LIMIT = 100_000


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Throw-away random tokens, new for each world.

    ``pypi`` and ``testpypi`` count as tokens that those indexes gave to the workflow of the release; ``pypi_api`` and
    ``testpypi_api`` are tokens of a user. ``forge`` is a user's token with write access, ``admin`` one of an
    administrator. ``read`` is a GitHub App installation's token with read access, ``installation`` one with write
    access that the API does not report. ``registry`` and ``registry_read`` are passwords of the registry. ``runner`` is
    the token with which a job requests ID tokens. ``announce`` is that of every chat. ``hub`` writes to Spaces,
    ``hub_read`` only reads. ``readthedocs`` is that of a maintainer there.
    """

    pypi: str
    testpypi: str
    pypi_api: str
    testpypi_api: str
    forge: str
    admin: str
    read: str
    installation: str
    registry: str
    registry_read: str
    runner: str
    announce: str
    hub: str
    hub_read: str
    readthedocs: str


def credentials(folder: Path) -> Credentials:
    """Read the world's credentials, and make the missing ones. Raises `Unknown` if the file is broken."""
    path = folder / CREDENTIALS
    made = {
        "pypi": new_token("", [of_publisher()]),
        "testpypi": new_token("", [of_publisher()]),
        "pypi_api": new_token("", [of_user()]),
        "testpypi_api": new_token("", [of_user()]),
        "forge": f"ghp_{secrets.token_hex(18)}",
        "admin": f"ghp_{secrets.token_hex(18)}",
        "read": f"ghs_{secrets.token_hex(18)}",
        "installation": f"ghs_{secrets.token_hex(18)}",
        "registry": secrets.token_hex(18),
        "registry_read": secrets.token_hex(18),
        "runner": secrets.token_hex(18),
        "announce": secrets.token_hex(12),
        "hub": f"hf_{secrets.token_hex(17)}",
        "hub_read": f"hf_{secrets.token_hex(17)}",
        "readthedocs": secrets.token_hex(20),
    }
    read: object = {}
    with contextlib.suppress(FileNotFoundError):
        try:
            read = decode_json(read_regular(path, _LIMIT), object)
        except ValueError:
            read = None
    if not isinstance(read, dict) or not all(isinstance(value, str) and value for value in read.values()):
        raise Unknown(
            "the file is broken", where=str(path), next_step=advice.REMOVE_WORLD(command=remove_command(folder))
        )
    if not made.keys() <= read.keys():
        read = made | read
        write_atomic(path, json.dumps(read, indent=2).encode(), mode=0o600)
    return Credentials(**{name: read[name] for name in made})


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of the servers, without a slash at the end.

    ``storage`` serves the bytes of the forge's assets, to which the forge redirects; ``issuer`` gives ID tokens
    to jobs; ``sigstore`` is Fulcio and Rekor.
    """

    pypi: str
    testpypi: str
    forge: str
    storage: str
    issuer: str
    sigstore: str


def _quoted(text: str) -> str:
    """Write a TOML basic string; JSON's escapes are valid in TOML, except for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def _index(table: str, name: str, base: str, token: str, platforms: WheelPlatforms) -> str:
    rows = {
        "name": name,
        "upload": f"{base}/legacy/",
        "simple": f"{base}/simple/",
        "json": f"{base}/pypi/",
        "page": f"{base}/project/{{project}}/{{version}}/",
        "username": "__token__",
        "password": token,
        "platforms": platforms.value,
        # Even a project that requires trusted publishing is rehearsed with a throw-away token.
        "trusted-publishing": "never",
    }
    return f"\n[{table}]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in rows.items())


def _registry(host: str, address: str, password: str) -> str:
    rows = {"host": host, "address": address, "username": USER, "password": password}
    return "\n[[registry]]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in rows.items())


def write(
    folder: Path,
    *,
    addresses: Addresses,
    credentials: Credentials,
    repository: str,
    registries: Mapping[str, str] | None = None,
    platforms: WheelPlatforms = WheelPlatforms.PUBLIC,
    patience: float = 0.0,
    more: str = "",
) -> Path:
    """Write ``world.toml`` atomically, readable only by its owner. Return its path.

    ``registries`` are addresses by the host that they stand for, ``platforms`` those whose wheels the indexes take.
    ``patience`` is for how many seconds clients wait for a server, 0 for as long as for a real one. ``more`` are
    further tables.
    """
    forge = {
        "api": f"{addresses.forge}/api/v3",
        "uploads": f"{addresses.forge}/api/uploads",
        "site": addresses.forge,
        "repository": repository,
        "token": credentials.forge,
        "trust": str(folder / FORGE_TRUST),
    }
    identity = f"{addresses.issuer}/token/{{tag}}"
    signing = {"trust": str(folder / TRUST), "identity": identity, "token": credentials.runner}
    text = (
        "# A local world. Its credentials are worth nothing anywhere else.\n"
        f"# ID tokens for trusted publishing: ACTIONS_ID_TOKEN_REQUEST_URL={addresses.issuer}/token\n"
        f'# and ACTIONS_ID_TOKEN_REQUEST_TOKEN, which is "runner" in {CREDENTIALS}.\n'
        'name = "local"\nrehearsal = true\n'
        + (f"patience = {patience:g}\n" if patience else "")
        + _index("index", "pypi", addresses.pypi, credentials.pypi, platforms)
        + _index("staging", "testpypi", addresses.testpypi, credentials.testpypi, platforms)
        + "\n[dependencies]\n# Empty: the installer's own configuration.\n"
        + 'simple = ""\n\n[forge]\n'
        + "".join(f"{key} = {_quoted(value)}\n" for key, value in forge.items())
        + "".join(_registry(host, at, credentials.registry) for host, at in (registries or {}).items())
        + "\n[signing]\n"
        + "".join(f"{key} = {_quoted(value)}\n" for key, value in signing.items())
        + f"\n[git]\nremote = {_quoted(str(folder / 'remote.git'))}\n"
        + more
    )
    write_atomic(folder / WORLD, text.encode(), mode=0o600)
    return folder / WORLD
