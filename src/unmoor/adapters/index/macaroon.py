"""What an API token says about itself: for which index it is, for which projects, until when.

Tokens of PyPI and its kin are macaroons, which anybody who holds one can read: ``pypi-`` and then, in
base64, libmacaroons' binary format, version 2. Only the index can check the signature, and nothing
here tries to.

Read here and not by a library: pypitoken is the one that is kept up, and brings pymacaroons (last
released in 2018), PyNaCl and jsonschema along, to check and restrict tokens as well. Reading is what
stands below; the tests compare it with pypitoken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from unmoor.util.decode import decode_json

PREFIX = "pypi-"
_LONGEST = 20_000
_LONGEST_FIELD = 3  # bytes of a number in front of a field: up to 2 MB
# The fields of the format.
_END, _LOCATION, _IDENTIFIER, _VID, _SIGNATURE = 0, 1, 2, 4, 6


@dataclass(frozen=True, kw_only=True)
class Restrictions:
    """What a token's caveats allow, all of them together.

    ``location`` is the index's host, empty where the token names none. ``projects`` are normalised
    names, ``None`` where it is for every project of its owner; ``by_id`` says that it is for projects
    that are named by numbers of the index's own, too. ``expires`` and ``begins`` are Unix times.
    """

    location: str
    projects: frozenset[str] | None = None
    by_id: bool = False
    begins: int | None = None
    expires: int | None = None


def restrictions(token: str) -> Restrictions | None:
    """Read a token, ``None`` where it is not one of this kind. Caveats of an unknown kind restrict nothing here."""
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
    """The location, and what each caveat says. Raises ``ValueError``."""
    if not data.startswith(b"\x02"):
        raise ValueError("not version 2")
    fields = _fields(data[1:])
    head = dict(takewhile(_inside, fields))
    if _IDENTIFIER not in head or head.keys() - {_LOCATION, _IDENTIFIER}:
        raise ValueError("no head")
    caveats = []
    while caveat := dict(takewhile(_inside, fields)):
        # A third party's caveat is sealed: only its address could be read.
        if _VID not in caveat:
            caveats.append(caveat.get(_IDENTIFIER, b""))
    if next(fields, (_END, b""))[0] != _SIGNATURE:
        raise ValueError("no signature")
    return head.get(_LOCATION, b"").decode("ascii"), caveats


def _inside(field: tuple[int, bytes]) -> bool:
    return field[0] != _END


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every field, sections ended by a field of kind 0. Raises ``ValueError`` where the data end within one."""
    at = 0
    while at < len(data):
        kind, at = _number(data, at)
        size, at = _number(data, at) if kind != _END else (0, at)
        if at + size > len(data):
            raise ValueError("cut off")
        yield kind, data[at : at + size]
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
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
    """What remains once a caveat is added: a token never allows more than each of its caveats.

    PyPI writes a caveat as a list that begins with its kind; until 2022 it was an object.
    """
    try:
        said: Any = decode_json(caveat, object)
    except ValueError:
        return found
    match said:
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
        case _:
            return found
