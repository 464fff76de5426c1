"""Find credentials: through references in a world file, and in the usual places of twine and GitHub.

The origin of a `Login` describes where its secret is from, or where it was searched for. It never contains the secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from unmoor.config import pypirc
from unmoor.filesystem.layout import home_of
from unmoor.ports.world import Login, Lookup
from unmoor.util.concurrency import NoAnswer, call_within
from unmoor.util.secret import Secret
from unmoor.util.text import clean

TOKEN_USERNAME = "__token__"  # noqa: S105 - the user name that indexes give to every API token
KNOWN = ", ".join(f"{lookup}:" for lookup in Lookup)

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*:")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LIMIT = 65_536
_LONGEST_NAME = 200
_KEYRING_PATIENCE = 5.0


class SecretReference(msgspec.Struct, frozen=True):
    """A reference to a credential in a world file. For a literal, ``lookup`` is ``None`` and ``rest`` is empty."""

    lookup: Lookup | None
    rest: str

    @classmethod
    def parse(cls, secret: Secret) -> SecretReference:
        """Parse a reference or a literal. Raises ``ValueError`` for a malformed one, without quoting it."""
        text = secret.reveal()
        prefix = _PREFIX.match(text)
        if prefix is None:
            return cls(None, "")
        if prefix[0][:-1] not in list(Lookup):
            raise ValueError(f"the prefix before the colon is not one of {KNOWN}")
        lookup, rest = Lookup(prefix[0][:-1]), text[prefix.end() :]
        if not rest or any(not char.isprintable() for char in rest):
            raise ValueError(f'expected printable characters after "{lookup}:"')
        if lookup is Lookup.ENV and not _VARIABLE.fullmatch(rest):
            raise ValueError('expected the name of an environment variable after "env:"')
        return cls(lookup, rest)


def checked_reference(text: str) -> str:
    """Check that a credential is a literal or a well-formed reference. Raises ``ValueError``."""
    if any(not char.isprintable() for char in text):
        raise ValueError("a credential must not contain line breaks or control characters")
    SecretReference.parse(Secret(text))
    return text


def checked_username(text: str) -> str:
    """Check that a user name can be sent (RFC 7617 allows no colon). Raises ``ValueError``, without quoting it."""
    if ":" in text or len(text) > _LONGEST_NAME or any(not char.isprintable() for char in text):
        raise ValueError(f"expected a user name: printable, without colon, at most {_LONGEST_NAME} characters")
    return text


def is_literal(secret: Secret) -> bool:
    """Whether the file contains the secret itself."""
    return bool(secret) and SecretReference.parse(secret).lookup is None


def look_up(secret: Secret, *, username: str, environ: Mapping[str, str], world_file: Path) -> Login:
    """Follow a reference. A missing credential gives a `Login` with an empty secret."""
    found, origin = _follow(secret, username, environ, world_file)
    return Login(username=username, secret=found, origin=clean(origin))


def _follow(secret: Secret, username: str, environ: Mapping[str, str], world_file: Path) -> tuple[Secret, str]:
    reference = SecretReference.parse(secret)
    match reference.lookup:
        case None:
            return secret, str(world_file) if secret else f"nowhere: {world_file} names no credential"
        case Lookup.ENV:
            value = environ.get(reference.rest, "")
            state = "" if value else ", which is not set" if reference.rest not in environ else ", which is empty"
            return Secret(value), f"the environment variable {reference.rest}{state}"
        case Lookup.FILE:
            return _from_file(file_beside(world_file, reference.rest, environ))
        case Lookup.KEYRING:
            return from_keyring(reference.rest, username)


def file_beside(world_file: Path, rest: str, environ: Mapping[str, str]) -> Path:
    """Return the file that a world file names: relative to it, or to the user's home after ``~/``."""
    home = home_of(environ)
    path = home / rest[2:] if home is not None and rest.startswith(("~/", "~\\")) else Path(rest)
    return world_file.absolute().parent / path


def _from_file(path: Path) -> tuple[Secret, str]:
    origin = f"the file {path}"
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
        text = data.decode().strip()
    except OSError as error:
        return Secret(""), f"{origin}, which cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return Secret(""), f"{origin}, which is not text"
    if len(data) > _LIMIT or len(text.splitlines()) != 1:
        return Secret(""), f"{origin}, which does not have exactly one line"
    return Secret(text), origin


def from_keyring(service: str, username: str) -> tuple[Secret, str]:
    """Ask the user's keyring, with a time-out: it may wait for a password in a window."""
    import importlib.util

    origin = f"the keyring ({clean(service, 80)}, {clean(username, 40)})"
    # twine depends on it, except on ppc64le and s390x.
    if importlib.util.find_spec("keyring") is None:
        return Secret(""), f"{origin}, but the keyring package is not installed"
    try:
        secret = call_within(_KEYRING_PATIENCE, lambda: _ask_keyring(service, username))
    except NoAnswer:
        return Secret(""), f"{origin}, which did not answer within {_KEYRING_PATIENCE:.0f} s"
    except Exception as error:  # noqa: BLE001 - backends raise any exception; every failure means no credential
        return Secret(""), f"{origin}, which failed ({type(error).__name__})"
    return secret, origin if secret else f"{origin}, which has no such password"


def _ask_keyring(service: str, username: str) -> Secret:
    import keyring

    return Secret(keyring.get_password(service, username) or "")


def index_login(name: str, upload: str, environ: Mapping[str, str]) -> Login:
    """Find the credential of one of the two public indexes, ``pypi`` or ``testpypi``.

    In this order: ``UNMOOR_<NAME>_PASSWORD``; ``TWINE_PASSWORD`` if twine would send it to this index; ``.pypirc``;
    the keyring. Never uses a credential of one index for the other. Raises `ConfigError` for a ``.pypirc`` that cannot
    be parsed.
    """
    searched: list[str] = []
    own = f"UNMOOR_{name.upper()}_"
    twine = "TWINE_" if _twine_uses(name, upload, environ) else ""
    for prefix in filter(None, (own, twine)):
        searched.append(f"{prefix}PASSWORD")
        if password := environ.get(f"{prefix}PASSWORD", ""):
            username = environ.get(f"{prefix}USERNAME") or TOKEN_USERNAME
            return Login(
                username=username, secret=Secret(password), origin=f"the environment variable {prefix}PASSWORD"
            )
    username = environ.get(f"{own}USERNAME") or (twine and environ.get("TWINE_USERNAME")) or TOKEN_USERNAME
    for secret, origin in _stored_passwords(name, upload, username, environ):
        if secret:
            return Login(username=username, secret=secret, origin=clean(origin))
        searched.append(origin)
    return Login(username=username, secret=Secret(""), origin=clean(f"nowhere: looked in {', '.join(searched)}"))


def _stored_passwords(
    name: str, upload: str, username: str, environ: Mapping[str, str]
) -> Iterator[tuple[Secret, str]]:
    """Look in the places that are slow to read, one after the other."""
    yield pypirc.password(name, upload, environ)
    # A CI runner has no keyring of its own, and asking for one takes 0.15 s.
    if environ.get("GITHUB_ACTIONS") != "true" or environ.get("PYTHON_KEYRING_BACKEND"):
        yield from_keyring(upload, username)


def _twine_uses(name: str, upload: str, environ: Mapping[str, str]) -> bool:
    """Whether twine, with these variables, would send its password to this index."""
    if address := environ.get("TWINE_REPOSITORY_URL"):
        return pypirc.same_address(address, upload)
    return (environ.get("TWINE_REPOSITORY") or "pypi") == name


def forge_login(environ: Mapping[str, str]) -> Login:
    """Read the forge's token from ``GITHUB_TOKEN``, or else ``GH_TOKEN``."""
    for variable in ("GITHUB_TOKEN", "GH_TOKEN"):
        if token := environ.get(variable, "").strip():
            return Login(username="", secret=Secret(token), origin=f"the environment variable {variable}")
    return Login(username="", secret=Secret(""), origin="nowhere: neither GITHUB_TOKEN nor GH_TOKEN is set")


def token_login(variable: str, environ: Mapping[str, str]) -> Login:
    """Read the token of a service from the variable that its own client reads."""
    token = environ.get(variable, "").strip()
    state = "" if token else ", which is not set" if variable not in environ else ", which is empty"
    return Login(username="", secret=Secret(token), origin=f"the environment variable {variable}{state}")
