"""The credentials of a local world, and the ``world.toml`` that describes it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from unmoor.errors import Unknown
from unmoor.files import write_whole

WORLD = "world.toml"
CREDENTIALS = "credentials.json"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Throw-away tokens, made at random for each world; ``read`` is a forge token that may only read."""

    pypi: str
    testpypi: str
    forge: str
    read: str


def credentials(folder: Path) -> Credentials:
    """Read the world's credentials, or make them. Raises `Unknown` for a file that is broken."""
    path = folder / CREDENTIALS
    try:
        read = json.loads(path.read_bytes())
        return Credentials(**{name: str(read[name]) for name in ("pypi", "testpypi", "forge", "read")})
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError):
        raise Unknown("the file is broken", where=str(path), next_step=f"remove {folder} and start anew") from None
    made = Credentials(
        pypi=f"pypi-{secrets.token_urlsafe(24)}",
        testpypi=f"pypi-{secrets.token_urlsafe(24)}",
        forge=f"ghs_{secrets.token_hex(18)}",
        read=f"ghs_{secrets.token_hex(18)}",
    )
    write_whole(path, json.dumps(made.__dict__, indent=2).encode(), mode=0o600)
    return made


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the servers listen: their addresses, without a slash at the end.

    ``storage`` hands out the bytes of the forge's assets, to which the forge redirects.
    """

    pypi: str
    testpypi: str
    forge: str
    storage: str


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are all TOML's too, but for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def _index(table: str, name: str, base: str, token: str) -> str:
    rows = {
        "name": name,
        "upload": f"{base}/legacy/",
        "simple": f"{base}/simple/",
        "json": f"{base}/pypi/",
        "page": f"{base}/project/{{project}}/{{version}}/",
        "username": "__token__",
        "password": token,
    }
    return f"\n[{table}]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in rows.items())


def write(folder: Path, *, places: Places, credentials: Credentials, repository: str) -> Path:
    """Write ``world.toml``, whole, readable by its owner alone; return where it lies."""
    forge = {
        "api": f"{places.forge}/api/v3",
        "uploads": f"{places.forge}/api/uploads",
        "site": places.forge,
        "repository": repository,
        "token": credentials.forge,
    }
    text = (
        "# A local world. Its credentials are worth nothing anywhere else.\n"
        'name = "local"\nrehearsal = true\n'
        + _index("index", "pypi", places.pypi, credentials.pypi)
        + _index("staging", "testpypi", places.testpypi, credentials.testpypi)
        + "\n[dependencies]\n# Empty: the installer's own configuration.\n"
        + 'simple = ""\n\n[forge]\n'
        + "".join(f"{key} = {_quoted(value)}\n" for key, value in forge.items())
        + f"\n[git]\nremote = {_quoted(str(folder / 'remote.git'))}\n"
    )
    write_whole(folder / WORLD, text.encode(), mode=0o600)
    return folder / WORLD
