"""API tokens in PyPI's format: macaroons in libmacaroons' binary format, version 2, each with a key of its own.

Nothing verifies their signatures: an index looks its tokens up. Source of the caveats: ``warehouse/macaroons/caveats``.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Iterable


def new_token(location: str, caveats: Iterable[object]) -> str:
    """Make a token of an index; an empty ``location`` names none."""
    identifier = secrets.token_hex(16).encode()
    encoded = [json.dumps(caveat).encode() for caveat in caveats]
    named = _field(1, location.encode()) if location else b""
    data = bytearray(b"\x02" + named + _field(2, identifier) + b"\0")
    signature = hmac.digest(secrets.token_bytes(32), identifier, "sha256")
    for each in encoded:
        data += _field(2, each) + b"\0"
        signature = hmac.digest(signature, each, "sha256")
    data += b"\0" + _field(6, signature)
    return f"pypi-{base64.urlsafe_b64encode(data).rstrip(b'=').decode()}"


def expires(until: float, begin: float) -> object:
    """Limit a token to a time."""
    return [0, int(until), int(begin)]


def for_projects(names: Iterable[str]) -> object:
    """Limit a token to projects, by their normalized names."""
    return [1, list(names)]


def of_user() -> object:
    """Mark a token that a user made on the index's page."""
    return [3, secrets.token_hex(16)]


def of_publisher(ref: str = "", sha: str = "") -> object:
    """Mark a token that the index gave to a trusted publisher, with two claims of its job."""
    return [4, secrets.token_hex(16), {"ref": ref, "sha": sha}]


def _field(kind: int, data: bytes) -> bytes:
    size, number = len(data), bytearray()
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        number.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([kind, *number, size]) + data
