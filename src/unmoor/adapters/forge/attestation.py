"""The attestations that the forge has: those that workflows stored, and its own of immutable releases.

GitHub signs one about the tag's object when an immutable release is published; it is the only trace of a deleted one.
It only serves as a warning here, so its signature is not verified: at worst, a release stops that could continue.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from unmoor.adapters.github.answers import converted, malformed
from unmoor.util.decode import decode_json

_RELEASE = "https://in-toto.io/attestation/release/"
_FORGE = "github"


class _Object(msgspec.Struct, frozen=True, kw_only=True):
    sha: str


class _Ref(msgspec.Struct, frozen=True, kw_only=True):
    object: _Object


class _Attestation(msgspec.Struct, frozen=True, kw_only=True):
    bundle: dict[str, Any] | None = None
    initiator: str | None = None


class _Attestations(msgspec.Struct, frozen=True, kw_only=True):
    attestations: tuple[_Attestation, ...]


def subject(raw: Any, *, where: str) -> str:
    """The digest that attestations of a tag are about, from ``GET /git/ref/tags/{tag}``. Raises `Unknown`."""
    sha = converted(raw, _Ref, "a tag", where).object.sha
    return f"{'sha1' if len(sha) == 40 else 'sha256'}:{sha}"  # noqa: PLR2004 - hexadecimal digits of a SHA-1


def names(raw: Any, tag: str, *, where: str) -> bool | None:
    """Whether the forge itself attests a release of the tag; ``None`` if an attestation cannot be read."""
    found = converted(raw, _Attestations, "a list of attestations", where).attestations
    statements = [_statement(each) for each in found if each.initiator in {None, _FORGE}]
    if any(each is not None and _is_of(each, tag) for each in statements):
        return True
    return None if None in statements else False


def bundles(raw: Any, *, where: str) -> tuple[bytes, ...]:
    """The bundles that workflows stored, as JSON. Raises `Unknown` for another answer, and if one is not in it."""
    found = converted(raw, _Attestations, "a list of attestations", where).attestations
    stored = [each.bundle for each in found if each.initiator != _FORGE]
    if None in stored:
        raise malformed("a list of attestations with their bundles", where)
    return tuple(msgspec.json.encode(bundle) for bundle in stored)


def _statement(attestation: _Attestation) -> dict[str, Any] | None:
    match attestation.bundle:
        case {"dsseEnvelope": {"payload": str(payload)}}:
            try:
                return decode_json(b64decode(payload), dict[str, Any])
            except ValueError:
                return None
        case _:
            return None


def _is_of(statement: dict[str, Any], tag: str) -> bool:
    match statement:
        case {"predicateType": str(kind), "predicate": {"tag": str(named)}}:
            return kind.startswith(_RELEASE) and named == tag
        case _:
            return False
