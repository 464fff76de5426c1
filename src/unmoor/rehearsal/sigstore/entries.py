"""The entries that Rekor takes, and the form in which it logs them: kinds ``hashedrekord`` and ``dsse``, version 0.0.1.

Sources: ``pkg/types/hashedrekord`` and ``pkg/types/dsse`` of sigstore/rekor; RFC 8785 for the form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from unmoor.util.decode import decode_json, described

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

T = TypeVar("T")

VERSION = "0.0.1"
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class _Hash(msgspec.Struct, frozen=True):
    value: str
    algorithm: str = "sha256"


class _Data(msgspec.Struct, frozen=True):
    hash: _Hash


class _PublicKey(msgspec.Struct, frozen=True):
    content: bytes


class _Signature(msgspec.Struct, frozen=True, rename="camel"):
    content: bytes
    public_key: _PublicKey


class _HashedRekord(msgspec.Struct, frozen=True):
    data: _Data
    signature: _Signature


class _ProposedContent(msgspec.Struct, frozen=True):
    envelope: str
    verifiers: list[bytes]


class _Dsse(msgspec.Struct, frozen=True, rename="camel"):
    proposed_content: _ProposedContent


class _EnvelopeSignature(msgspec.Struct, frozen=True):
    sig: str


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: list[_EnvelopeSignature]


class _Proposed(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    spec: Any


def canonical(proposed: bytes) -> bytes:
    """Check a proposed entry, and return what the log keeps of it. Raises ``ValueError`` with Rekor's words."""
    entry = decode_json(proposed, _Proposed)
    kinds: Mapping[str, Callable[[Any], object]] = {"hashedrekord": _hashed_rekord, "dsse": _dsse}
    if entry.kind not in kinds:
        raise ValueError(f"unknown kind '{entry.kind}' specified")
    if entry.api_version != VERSION:
        raise ValueError(
            f"entry kind '{entry.kind}' does not support inserting entries of version '{entry.api_version}'"
        )
    spec = kinds[entry.kind](entry.spec)
    return rfc8785.dumps({"apiVersion": VERSION, "kind": entry.kind, "spec": msgspec.to_builtins(spec)})


def _hashed_rekord(spec: Any) -> object:
    read = _convert(spec, _HashedRekord)
    algorithm = _HASHES.get(read.data.hash.algorithm)
    if algorithm is None or len(read.data.hash.value) != 2 * algorithm.digest_size:
        raise ValueError("invalid value for hash")
    key, written = _public_key(read.signature.public_key.content)
    try:
        digest = bytes.fromhex(read.data.hash.value)
        key.verify(read.signature.content, digest, ec.ECDSA(Prehashed(algorithm)))
    except (InvalidSignature, ValueError):
        raise ValueError("verifying signature: invalid signature when validating ASN.1 encoded signature") from None
    return {
        "data": {"hash": {"algorithm": read.data.hash.algorithm, "value": read.data.hash.value}},
        "signature": {"content": _b64(read.signature.content), "publicKey": {"content": _b64(written)}},
    }


def _dsse(spec: Any) -> object:
    content = _convert(spec, _Dsse).proposed_content
    envelope = decode_json(content.envelope, _Envelope)
    if not envelope.signatures:
        raise ValueError("DSSE envelope must contain 1 or more signatures")
    payload = _decoded(envelope.payload)
    signed = _encoded(envelope.payload_type.encode(), payload)
    keys = [_public_key(each) for each in content.verifiers]
    found = {}
    for each in envelope.signatures:
        match = next((written for key, written in keys if _verifies(key, _decoded(each.sig), signed)), None)
        if match is None:
            raise ValueError("could not verify envelope: accepted signatures do not match threshold")
        found[each.sig] = match
    return {
        "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(content.envelope.encode()).hexdigest()},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        "signatures": [{"signature": sig, "verifier": _b64(written)} for sig, written in sorted(found.items())],
    }


def _verifies(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _encoded(kind: bytes, payload: bytes) -> bytes:
    """Return what a DSSE signature signs: the pre-authentication encoding of its protocol, version 1."""
    return b" ".join((b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload))


def _public_key(text: bytes) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    """Read the PEM of a certificate or of a key. Return the key, and the PEM as the log writes it."""
    try:
        key: PublicKeyTypes
        if b"CERTIFICATE" in text:
            certificate = x509.load_pem_x509_certificate(text)
            key, written = certificate.public_key(), certificate.public_bytes(serialization.Encoding.PEM)
        else:
            key = serialization.load_pem_public_key(text)
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            written = key.public_bytes(serialization.Encoding.PEM, form)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("invalid public key: failure decoding PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("entry algorithms are not allowed")  # noqa: TRY004 - the entry is wrong, not the program
    return key, written


def _convert(spec: Any, kind: type[T]) -> T:
    """Convert a part of JSON, in which bytes are base64. Raises ``ValueError``."""
    try:
        return msgspec.convert(spec, described(kind))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"unable to base64 decode payload: {error}") from None
