"""The settings of a uv that may run build backends: the user's own, with the logins that the backends must not see.

A build backend inherits uv's environment, its HOME and its files. So uv gets the addresses and logins of indexes and
proxies in a document that it reads from a pipe, once, when it starts. The document is a uv.toml; see
https://docs.astral.sh/uv/reference/settings/.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from unmoor import advice
from unmoor.adapters.process.places import user_places
from unmoor.adapters.process.variables import without_logins
from unmoor.errors import ConfigError
from unmoor.filesystem.layout import home_of
from unmoor.util.secret import Secret
from unmoor.util.text import clean

Ask = Callable[[str, str], Secret]
"""Asks a keyring for the password of an address and a user. Empty if there is none."""

# Variables that say where packages come from. uv prefers them to its settings, so it must not see them.
SOURCES: Final = frozenset(
    {
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_NO_INDEX",
        "UV_CONFIG_FILE",
    }
)
_PROXIES: Final = ("http", "https")


def folders(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name uv's cache and interpreters, which it would look for below another HOME.

    Raises `ConfigError`.
    """
    places = user_places(environ)
    known = {}
    if places.uv_cache is not None and places.uv_data is not None:
        known = {"UV_CACHE_DIR": str(places.uv_cache), "UV_PYTHON_INSTALL_DIR": str(places.uv_data / "python")}
    if set_by_user := _of_user(environ).get("cache-dir"):
        known["UV_CACHE_DIR"] = str(set_by_user)
    return known | {name: environ[name] for name in ("UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR") if environ.get(name)}


def as_toml(settings: Mapping[str, Any]) -> str:
    """Return the text of a uv.toml."""
    import tomli_w

    return tomli_w.dumps(settings)


def settings(environ: Mapping[str, str], *, dependencies: str = "", ask: Ask | None = None) -> dict[str, Any]:
    """Return the content of a uv.toml for an environment.

    ``dependencies`` is the only index to use, instead of the user's. Raises `ConfigError` for settings that are not
    TOML.
    """
    if dependencies:
        found: dict[str, Any] = {"index": [{"url": dependencies, "default": True}]}
    else:
        found = _of_user(environ)
        indexes = [*_indexes(environ), *found.get("index", [])]
        links = [*_links(environ), *found.get("find-links", [])]
        found |= {name: each for name, each in (("index", indexes), ("find-links", links)) if each}
        if environ.get("UV_NO_INDEX") or environ.get("PIP_NO_INDEX"):
            found["no-index"] = True
    logins = _Logins(environ, ask if _keyring_provider(found, environ) == "subprocess" else None)
    for index in found.get("index", []):
        index["url"] = logins.put_into(str(index.get("url", "")), str(index.get("name", "")))
    for table in (found, found.get("pip", {})):
        if "index-url" in table:
            table["index-url"] = logins.put_into(str(table["index-url"]))
        for name in ("extra-index-url", "find-links"):
            if name in table:
                table[name] = [logins.put_into(str(each)) for each in table[name]]
    found.pop("cache-dir", None)  # see `folders`
    for table in (found, found.get("pip", {})):
        if links_to_cache(table.get("link-mode")):
            del table["link-mode"]
    return found | _proxies(environ)


def links_to_cache(mode: object) -> bool:
    """Whether a ``link-mode`` installs symbolic links into uv's cache: they must not be in a test environment.

    An import from there would be one from outside of the environment, and a test that writes to an installed file would
    change every other environment of the user.
    """
    return isinstance(mode, str) and mode.strip().lower() == "symlink"


def _keyring_provider(found: dict[str, Any], environ: Mapping[str, str]) -> str:
    """Take the way to ask a keyring out of settings: uv itself finds no keyring with another HOME."""
    providers = [environ.get("UV_KEYRING_PROVIDER", "")]
    providers += [str(table.pop("keyring-provider", "")) for table in (found.get("pip", {}), found)]
    return next(filter(None, providers), "")


def _of_user(environ: Mapping[str, str]) -> dict[str, Any]:
    """The user's settings and, for what they leave open, the machine's. ``UV_CONFIG_FILE`` replaces both."""
    if named := environ.get("UV_CONFIG_FILE"):
        return _read(Path(named), required=True)
    places = user_places(environ)
    merged = _read(places.uv_machine)
    for name, value in _read(places.uv).items():
        below = merged.get(name)
        if isinstance(value, list) and isinstance(below, list):
            merged[name] = value + below
        elif isinstance(value, dict) and isinstance(below, dict):
            merged[name] = {**below, **value}
        else:
            merged[name] = value
    return merged


def _read(file: Path | None, *, required: bool = False) -> dict[str, Any]:
    """Read a uv.toml, with absolute paths. A missing one is empty, unless it is ``required``."""
    if file is None:
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and not required:
            return {}
        raise ConfigError(
            f"the settings of uv cannot be read: {error.strerror}",
            where=str(file),
            next_step=advice.CORRECT_UV_CONFIG_FILE(),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"this is not TOML: {clean(str(error))}", where=str(file), next_step=advice.CORRECT_UV_SETTINGS()
        ) from error
    try:
        _make_absolute(found, file.absolute().parent)
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigError(
            "index, find-links or pip is not what uv expects", where=str(file), next_step=advice.CORRECT_UV_SETTINGS()
        ) from error
    return found


def _make_absolute(settings: dict[str, Any], folder: Path) -> None:
    """Make the paths of settings absolute. Raises ``AttributeError``, ``KeyError`` or ``TypeError`` for odd types."""
    for index in settings.get("index", []):
        index["url"] = _absolute(folder, index["url"])
    for table in (settings, settings.get("pip", {})):
        if "index-url" in table:
            table["index-url"] = _absolute(folder, table["index-url"])
        for name in ("extra-index-url", "find-links"):
            if name in table:
                if not isinstance(table[name], list):
                    raise TypeError
                table[name] = [_absolute(folder, each) for each in table[name]]


def _absolute(folder: Path, place: str) -> str:
    """Return an address, or a path that is relative to the folder of the settings as uv takes it."""
    return place if "://" in place or place.startswith("file:") else str(folder / place)


def _indexes(environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The indexes of uv's variables, or of pip's where uv's are not set: uv does not read pip's."""
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or environ.get("PIP_INDEX_URL")
    more = [*environ.get("UV_INDEX", "").split(), *environ.get("UV_EXTRA_INDEX_URL", "").split()]
    for each in more or environ.get("PIP_EXTRA_INDEX_URL", "").split():
        name, equals, url = each.partition("=")
        is_named = equals and "/" not in name
        yield {"name": name, "url": url} if is_named else {"url": each}
    if default:
        name, equals, url = default.partition("=")
        is_named = equals and "/" not in name
        yield ({"name": name, "url": url} if is_named else {"url": default}) | {"default": True}


def _links(environ: Mapping[str, str]) -> list[str]:
    """The places of ``UV_FIND_LINKS``, or of ``PIP_FIND_LINKS``: pip ignores a missing folder where uv fails."""
    if links := environ.get("UV_FIND_LINKS"):
        return [each.strip() for each in links.split(",") if each.strip()]
    places = environ.get("PIP_FIND_LINKS", "").split()
    return [each for each in places if "://" in each or Path(each).is_dir()]


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies that need a login. uv takes the others from its environment."""
    found = {}
    for scheme in _PROXIES:
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
            if address := environ.get(name):
                if without_logins(name, address) != address:
                    found[f"{scheme}-proxy"] = address if "://" in address else f"http://{address}"
                break
    return found


class _Logins:
    """Where uv would look for the login of an address, in uv's order."""

    def __init__(self, environ: Mapping[str, str], ask: Ask | None) -> None:
        self._environ = environ
        self._ask = ask
        self._stored = tuple(_stored(environ))

    def put_into(self, address: str, name: str = "") -> str:
        """Return the address with its login, if one is known. ``name`` is the index's."""
        parts = _split(address)
        if parts is None or parts.scheme not in {"http", "https"} or parts.password is not None:
            return address
        user = parts.username or ""
        host = parts.netloc.rpartition("@")[2]
        bare = parts._replace(netloc=host).geturl()
        login = self._of_index(name) or self._of_netrc(parts.hostname or "", user) or self._of_store(bare, user)
        if login is None and user and self._ask is not None:
            password = self._ask(bare, user) or self._ask(host, user)
            login = (user, password.reveal()) if password else None
        if login is None:
            return address
        return parts._replace(netloc=f"{quote(login[0], safe='')}:{quote(login[1], safe='')}@{host}").geturl()

    def _of_index(self, name: str) -> tuple[str, str] | None:
        prefix = f"UV_INDEX_{re.sub('[^A-Z0-9]', '_', name.upper())}"
        user, password = (self._environ.get(f"{prefix}_{each}", "") for each in ("USERNAME", "PASSWORD"))
        return (user, password) if name and (user or password) else None

    def _of_netrc(self, host: str, user: str) -> tuple[str, str] | None:
        import netrc

        file = self._environ.get("NETRC") or (home_of(self._environ) or Path()) / ".netrc"
        try:
            found = netrc.netrc(file).authenticators(host)
        except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
            return None  # as uv does: the index then answers that it needs a login
        if found is None or (user and found[0] != user):
            return None
        return found[0], found[2] or ""

    def _of_store(self, address: str, user: str) -> tuple[str, str] | None:
        """What ``uv auth login`` stored: the entry with the longest address that this one begins with."""
        fitting = [
            (service, login)
            for service, login in self._stored
            if f"{address}/".startswith(f"{service.rstrip('/')}/") and user in {"", login[0]}
        ]
        return max(fitting, key=lambda each: len(each[0]))[1] if fitting else None


def _stored(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the addresses and logins of ``uv auth login``."""
    data = user_places(environ).uv_data
    folder = environ.get("UV_CREDENTIALS_DIR") or (data / "credentials" if data is not None else None)
    entries = _read(Path(folder) / "credentials.toml" if folder is not None else None).get("credential", [])
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("scheme", "basic") == "basic":
            yield str(entry.get("service", "")), (str(entry.get("username") or ""), str(entry.get("password", "")))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
