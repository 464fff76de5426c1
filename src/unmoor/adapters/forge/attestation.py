"""The attestations that the forge has: those that workflows stored, and its own of immutable releases.

GitHub signs one about the tag's object when an immutable release is published; it is the only trace of a deleted one.
For a run that makes a release it only is a warning, so `names` does not check its signature: at worst, a release stops
that could continue. `own_bundles` are for a command that does.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from unmoor.adapters.github.answers import converted, malformed
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit

_RELEASE = "https://in-toto.io/attestation/release/"
_FORGE = "github"


class NamedObject(msgspec.Struct, frozen=True, kw_only=True):
    """What a ref or a tag object names: its id, and its type, such as ``commit``."""

    sha: str
    type: str = ""


class _Ref(msgspec.Struct, frozen=True, kw_only=True):
    object: NamedObject


class _Attestation(msgspec.Struct, frozen=True, kw_only=True):
    bundle: dict[str, Any] | None = None
    initiator: str | None = None


class _Attestations(msgspec.Struct, frozen=True, kw_only=True):
    attestations: tuple[_Attestation, ...]


def subject(raw: Any, *, where: str) -> str:
    """The digest that attestations of a tag are about, from ``GET /git/ref/tags/{tag}``. Raises `Unknown`."""
    return digest_of(converted(raw, _Ref, "a tag", where).object.sha)


def digest_of(sha: str) -> str:
    """Write the id of an object as a digest, with its algorithm."""
    return f"{'sha1' if len(sha) == 40 else 'sha256'}:{sha}"  # noqa: PLR2004 - hexadecimal digits of a SHA-1


def named_object(raw: Any, *, where: str) -> NamedObject:
    """What a ref names, or a tag object, from ``GET /git/ref/…`` and ``GET /git/tags/{sha}``. Raises `Unknown`."""
    found = converted(raw, _Ref, "a tag", where).object
    if not is_commit(found.sha):
        raise malformed("a tag", where)
    return found


def own_bundles(raw: Any, *, where: str) -> tuple[bytes, ...]:
    """The bundles of the attestations that the forge itself made. Raises `Unknown`."""
    found = converted(raw, _Attestations, "a list of attestations", where).attestations
    return tuple(
        msgspec.json.encode(each.bundle)
        for each in found
        if each.bundle is not None and each.initiator in {None, _FORGE}
    )


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
