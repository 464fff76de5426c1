"""Read the restrictions in an API token: its index, its projects, and when it expires.

Tokens of PyPI and similar indexes are macaroons, readable by anybody who has one: ``pypi-`` followed by libmacaroons'
binary format, version 2, in base64. Only the index can check the signature; this module does not.

The maintained library, pypitoken, also verifies and restricts tokens, and depends on pymacaroons (last released in
2018), PyNaCl and jsonschema. Reading is all that is needed here. The tests compare this module with pypitoken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import msgspec

from unmoor.util.decode import decode_json
from unmoor.util.values import replace

PREFIX = "pypi-"
_LONGEST = 20_000
_LONGEST_FIELD = 3  # bytes of the length of a field: up to 2 MB
# The fields of the format.
_END, _LOCATION, _IDENTIFIER, _VID, _SIGNATURE = 0, 1, 2, 4, 6


class Restrictions(msgspec.Struct, frozen=True, kw_only=True):
    """What all caveats of a token allow together.

    ``location`` is the index's host, empty if the token names none. ``projects`` are normalized names, ``None`` if the
    token is valid for every project of its owner. ``by_id`` says that it is also restricted to projects by the index's
    internal ids. ``expires`` and ``begins`` are Unix times. ``minted`` says that the index gave it to a trusted
    publisher, which may send attestations with it.
    """

    location: str
    projects: frozenset[str] | None = None
    by_id: bool = False
    begins: int | None = None
    expires: int | None = None
    minted: bool = False


def restrictions(token: str) -> Restrictions | None:
    """Read a token. Returns ``None`` if it is not a macaroon of this kind. Ignores caveats of unknown kinds."""
    body = token.removeprefix(PREFIX)
    if body == token or len(token) > _LONGEST:
        return None
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        location, caveats = _read(data)
    except (binascii.Error, ValueError):
        return None
    found = Restrictions(location=location)
    for caveat in caveats:
        found = _narrowed(found, caveat)
    return found


def _read(data: bytes) -> tuple[str, list[bytes]]:
    """The location and the content of each caveat. Raises ``ValueError``."""
    if not data.startswith(b"\x02"):
        raise ValueError("not version 2")
    fields = _fields(data[1:])
    head = dict(takewhile(_inside, fields))
    if _IDENTIFIER not in head or head.keys() - {_LOCATION, _IDENTIFIER}:
        raise ValueError("no head")
    caveats = []
    while caveat := dict(takewhile(_inside, fields)):
        # A third-party caveat is encrypted.
        if _VID not in caveat:
            caveats.append(caveat.get(_IDENTIFIER, b""))
    if next(fields, (_END, b""))[0] != _SIGNATURE:
        raise ValueError("no signature")
    return head.get(_LOCATION, b"").decode("ascii"), caveats


def _inside(field: tuple[int, bytes]) -> bool:
    return field[0] != _END


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every field; a field of kind 0 ends a section. Raises ``ValueError`` if the data ends within a field."""
    at = 0
    while at < len(data):
        kind, at = _number(data, at)
        size, at = _number(data, at) if kind != _END else (0, at)
        if at + size > len(data):
            raise ValueError("cut off")
        yield kind, data[at : at + size]
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number with seven bits a byte, the lowest first, and the position after it."""
    value = 0
    for place in range(_LONGEST_FIELD):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            return value, at + place + 1
    raise ValueError("no number")


def _narrowed(found: Restrictions, caveat: bytes) -> Restrictions:
    """Add a caveat to the restrictions. A token allows only what all of its caveats allow.

    PyPI writes a caveat as a list that begins with its kind; until 2022 it was an object.
    """
    try:
        content: Any = decode_json(caveat, object)
    except ValueError:
        return found
    match content:
        case [0, int(expires), int(begins)] | {"nbf": int(begins), "exp": int(expires)}:
            return replace(
                found,
                expires=expires if found.expires is None else min(expires, found.expires),
                begins=begins if found.begins is None else max(begins, found.begins),
            )
        case [1, list(names)] | {"version": 1, "permissions": {"projects": list(names)}}:
            allowed = frozenset(name for name in names if isinstance(name, str))
            return replace(found, projects=allowed if found.projects is None else allowed & found.projects)
        case [2, list()] | {"project_ids": list()}:
            return replace(found, by_id=True)
        case [4, str(), *_]:
            return replace(found, minted=True)
        case _:
            return found
