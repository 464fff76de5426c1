"""The keys of the instance, and the certificates that it issues.

The log of certificates (RFC 6962) only signs that it has one: nothing reads this log, so it keeps none.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.encoder import encode
from pyasn1.type.univ import OctetString

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared import store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from unmoor.rehearsal.sigstore.claims import Principal

LIFE = timedelta(minutes=10)
"""How long a certificate of a signer is valid."""
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2119, 12, 31, tzinfo=UTC)
"""How long those of the instance itself are valid."""
ORGANISATION = "sigstore.dev"
"""The organisation in the authority's name. gh accepts only this one, or GitHub's own."""
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_KEY_USAGES = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


class _Saved(msgspec.Struct, frozen=True):
    """The state on disk, as PEM."""

    root: str
    intermediate: str
    intermediate_key: str
    certificates_key: str
    entries_key: str


@dataclass(frozen=True)
class Key:
    """A key of an instance."""

    private: ec.EllipticCurvePrivateKey

    @cached_property
    def public(self) -> bytes:
        """The public key, as DER."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.DER, kind)

    @cached_property
    def id(self) -> bytes:
        """The hash by which logs call their key: 32 bytes."""
        return hashlib.sha256(self.public).digest()

    def sign(self, data: bytes) -> bytes:
        """Sign data, as DER."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The certificates of an instance, and its keys: of its authority, of its log of certificates, of Rekor."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: Key
    certificates: Key
    entries: Key

    @classmethod
    def open(cls, path: Path) -> Authority:
        """Read the keys from a file, and make them if there is none."""
        saved = store.load(path, _Saved)
        if saved is None:
            saved = _new()
            write_atomic(path, msgspec.json.encode(saved), mode=0o600)
        return cls(
            root=x509.load_pem_x509_certificate(saved.root.encode()),
            intermediate=x509.load_pem_x509_certificate(saved.intermediate.encode()),
            key=_read(saved.intermediate_key),
            certificates=_read(saved.certificates_key),
            entries=_read(saved.entries_key),
        )

    def issue(self, principal: Principal, key: CertificatePublicKeyTypes, when: float) -> x509.Certificate:
        """Certify a signer's key, with the proof that the certificate was logged."""
        begin = datetime.fromtimestamp(int(when), UTC)
        # Fulcio's URL type escapes what an address may not hold, such as letters with accents in a tag.
        name = x509.UniformResourceIdentifier(quote(principal.name, safe="/%:@$&+,;=!'()*[]"))
        builder = (
            x509.CertificateBuilder(
                issuer_name=self.intermediate.subject,
                subject_name=x509.Name([]),
                public_key=key,
                serial_number=x509.random_serial_number(),
                not_valid_before=begin,
                not_valid_after=begin + LIFE,
            )
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_authority_of(self.key), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        )
        for number, value in principal.extensions.items():
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(number), value)
            builder = builder.add_extension(extension, critical=False)
        unlogged = builder.sign(self.key.private, hashes.SHA256())
        proof = x509.UnrecognizedExtension(_SCT_LIST, self._logged(unlogged.tbs_certificate_bytes, when))
        return builder.add_extension(proof, critical=False).sign(self.key.private, hashes.SHA256())

    def _logged(self, certificate: bytes, when: float) -> bytes:
        """Return the list with one signed certificate timestamp (RFC 6962, sections 3.2 and 3.3), as DER."""
        milliseconds = int(when * 1000)
        # Version 1, a timestamp of a certificate, when, of a pre-certificate.
        head = struct.pack("!BBQH", 0, 0, milliseconds, 1)
        size = struct.pack("!I", len(certificate))[1:]
        signature = self.certificates.sign(head + self.key.id + size + certificate + struct.pack("!H", 0))
        # Without extensions, signed with SHA-256 and ECDSA.
        proof = b"\0" + self.certificates.id + struct.pack("!QHBB", milliseconds, 0, 4, 3) + _sized(signature)
        encoded: bytes = encode(OctetString(_sized(_sized(proof))))
        return encoded


def pem(certificate: x509.Certificate) -> str:
    """Write a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _new() -> _Saved:
    root, intermediate = _new_key(), _new_key()
    first = _self_issued("local-root", root, "local-root", root, path=1)
    second = _self_issued("local-intermediate", intermediate, "local-root", root, path=0)
    return _Saved(
        root=pem(first),
        intermediate=pem(second),
        intermediate_key=_written(intermediate),
        certificates_key=_written(_new_key()),
        entries_key=_written(_new_key()),
    )


def _new_key() -> Key:
    return Key(ec.generate_private_key(ec.SECP256R1()))


def _written(key: Key) -> str:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private.private_bytes(kind, form, serialization.NoEncryption()).decode()


def _read(text: str) -> Key:
    key = serialization.load_pem_private_key(text.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = "not a key of this program"
        raise TypeError(msg)
    return Key(key)


def _self_issued(name: str, key: Key, issuer: str, issuer_key: Key, *, path: int) -> x509.Certificate:
    """Make a certificate of the instance itself: its root, or what that certifies."""
    public = key.private.public_key()
    return (
        x509.CertificateBuilder(
            issuer_name=_name(issuer),
            subject_name=_name(name),
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=BEGIN,
            not_valid_after=END,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=path), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_authority_of(issuer_key), critical=False)
        .sign(issuer_key.private, hashes.SHA256())
    )


def _name(common: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: ORGANISATION, NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


def _usage(*usages: str) -> x509.KeyUsage:
    return x509.KeyUsage(**(_KEY_USAGES | dict.fromkeys(usages, True)))


def _authority_of(key: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.private.public_key())
