"""What the forge itself signs about an immutable release, as GitHub does: a statement with a time stamp, in no log.

GitHub has its own certificate authority and its own clock for that. Both are made at the first immutable release, and
the trusted root of them is written for verifiers. asn1crypto writes the time stamp (RFC 3161): cryptography signs only
data in CMS, and rfc3161-client only reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.oidc import OWNER_ID, REPOSITORY_ID

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from unmoor.rehearsal.github.releases import Release

PREDICATE = "https://in-toto.io/attestation/release/v0.2"
"""The predicate type of the statement."""
_IN_TOTO = "application/vnd.in-toto+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_SIGNER = "https://dotcom.releases.github.com"
_ORGANISATION = "GitHub, Inc."
_BEGIN, _END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2119, 12, 31, tzinfo=UTC)
_START = "2020-01-01T00:00:00Z"
_POLICY = "1.3.6.1.4.1.57264.2"


class _Saved(msgspec.Struct, frozen=True):
    """The authority and the clock on disk, as PEM."""

    root: str
    root_key: str
    clock_root: str
    clock: str
    clock_key: str


@dataclass(frozen=True, kw_only=True)
class ReleaseSigner:
    """Signs statements about releases of one repository. ``trust`` is where the trusted root is written."""

    folder: Path
    trust: Path
    repository: str
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def attest(self, release: Release, sha: str) -> None:
        """Sign what a release consists of, and keep the bundle. ``sha`` is the tag's object."""
        statement = json.dumps(self._statement(release, sha)).encode()
        bundle = self._signed(statement)
        number = len(list(self.folder.glob("*.json"))) + 1
        write_atomic(self.folder / f"{number}.json", json.dumps({"tag": release.tag, "bundle": bundle}).encode())

    def bundle(self, tag: str) -> dict[str, Any] | None:
        """The bundle about a tag; ``None`` if there is none."""
        for path in self.folder.glob("*.json"):
            kept: dict[str, Any] = json.loads(path.read_bytes())
            if kept["tag"] == tag:
                found: dict[str, Any] = kept["bundle"]
                return found
        return None

    def _statement(self, release: Release, sha: str) -> dict[str, Any]:
        purl = f"pkg:github/{self.repository}@{release.tag}"
        kind = "sha1" if len(sha) == hashlib.sha1(usedforsecurity=False).digest_size * 2 else "sha256"
        assets = [
            {"name": each.name, "digest": {"sha256": each.digests.sha256}} for each in release.assets if each.digests
        ]
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"uri": purl, "digest": {kind: sha}}, *assets],
            "predicateType": PREDICATE,
            "predicate": {
                "databaseId": str(release.id),
                "ownerId": OWNER_ID,
                "packageId": REPOSITORY_ID,
                "purl": purl,
                "repository": self.repository,
                "repositoryId": REPOSITORY_ID,
                "tag": release.tag,
            },
        }

    def _signed(self, statement: bytes) -> dict[str, Any]:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        saved = self._saved()
        now = datetime.now(UTC).replace(microsecond=0)
        key = ec.generate_private_key(ec.SECP256R1())
        root, root_key = x509.load_pem_x509_certificate(saved.root.encode()), _read(saved.root_key)
        certificate = _certificate(
            "Attester",
            key,
            root,
            root_key,
            usage=ExtendedKeyUsageOID.CODE_SIGNING,
            names=[x509.UniformResourceIdentifier(_SIGNER)],
            valid=(now - timedelta(minutes=1), now + timedelta(days=1)),
        )
        head = b"DSSEv1 %d %b %d " % (len(_IN_TOTO), _IN_TOTO.encode(), len(statement))
        signature = key.sign(head + statement, ec.ECDSA(hashes.SHA256()))
        stamp = _time_stamp(
            signature, now, x509.load_pem_x509_certificate(saved.clock.encode()), _read(saved.clock_key)
        )
        return {
            "mediaType": _BUNDLE,
            "verificationMaterial": {
                "certificate": {"rawBytes": _b64(_der(certificate))},
                "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": _b64(stamp)}]},
            },
            "dsseEnvelope": {
                "payload": _b64(statement),
                "payloadType": _IN_TOTO,
                "signatures": [{"sig": _b64(signature)}],
            },
        }

    def _saved(self) -> _Saved:
        """Read the keys, and make them and the trusted root if there are none."""
        path = self.folder / "keys"
        with self._making:
            self.folder.mkdir(parents=True, exist_ok=True)
            saved = store.load(path, _Saved)
            if saved is None:
                saved = _new()
                write_atomic(path, msgspec.json.encode(saved), mode=0o600)
            if not self.trust.exists():
                write_atomic(self.trust, json.dumps(_trusted_root(saved), indent=2).encode())
            return saved


def _new() -> _Saved:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    root_key, clock_root_key, clock_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("Internal Services Root", root_key, None, root_key, usage=ExtendedKeyUsageOID.CODE_SIGNING)
    clock_root = _certificate("TSA Root", clock_root_key, None, clock_root_key, usage=ExtendedKeyUsageOID.TIME_STAMPING)
    clock = _certificate(
        "TSA Timestamping", clock_key, clock_root, clock_root_key, usage=ExtendedKeyUsageOID.TIME_STAMPING
    )
    return _Saved(
        root=_pem(root),
        root_key=_written(root_key),
        clock_root=_pem(clock_root),
        clock=_pem(clock),
        clock_key=_written(clock_key),
    )


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: EllipticCurvePrivateKey,
    *,
    usage: Any,
    names: list[Any] | None = None,
    valid: tuple[datetime, datetime] = (_BEGIN, _END),
) -> x509.Certificate:
    """Make a certificate: a root if it has no issuer. That of a clock may be for nothing else (RFC 3161, 2.3)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    parts = {NameOID.ORGANIZATION_NAME: _ORGANISATION, NameOID.COMMON_NAME: name}
    subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])
    is_root = issuer is None
    usages = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(
            issuer_name=issuer.subject if issuer is not None else subject,
            subject_name=subject,
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=valid[0],
            not_valid_after=valid[1],
        )
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usages),
            critical=True,
        )
        .add_extension(
            x509.ExtendedKeyUsage([usage]), critical=not is_root and usage == ExtendedKeyUsageOID.TIME_STAMPING
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _time_stamp(signature: bytes, when: datetime, clock: x509.Certificate, key: EllipticCurvePrivateKey) -> bytes:
    """Return the answer of a clock about a signature (RFC 3161, section 2.4.2), as DER."""
    from asn1crypto import cms, tsp  # type: ignore[import-untyped]
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    certificate = asn1_x509.Certificate.load(_der(clock))
    sha256 = {"algorithm": "sha256"}
    said = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": {"hash_algorithm": sha256, "hashed_message": hashlib.sha256(signature).digest()},
            "serial_number": int.from_bytes(hashlib.sha256(signature).digest()[:8], "big"),
            "gen_time": when,
        }
    ).dump()
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [hashlib.sha256(said).digest()]},
            {
                "type": "signing_certificate_v2",
                "values": [{"certs": [{"cert_hash": hashlib.sha256(_der(clock)).digest()}]}],
            },
        ]
    )
    signer = {
        "version": "v1",
        "sid": cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}),
        "digest_algorithm": sha256,
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
    }
    data = {
        "version": "v3",
        "digest_algorithms": [sha256],
        "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(said)},
        "certificates": [certificate],
        "signer_infos": [signer],
    }
    token = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)})
    answer: bytes = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
    return answer


def _trusted_root(saved: _Saved) -> dict[str, Any]:
    """The trusted root (``sigstore_trustroot.proto`` of sigstore/protobuf-specs). It has no logs."""

    def authority(*chain: str) -> dict[str, Any]:
        from cryptography import x509

        ders = [_der(x509.load_pem_x509_certificate(each.encode())) for each in chain]
        return {
            "subject": {"organization": _ORGANISATION, "commonName": "local"},
            "uri": _SIGNER,
            "certChain": {"certificates": [{"rawBytes": _b64(each)} for each in ders]},
            "validFor": {"start": _START},
        }

    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [authority(saved.root)],
        "timestampAuthorities": [authority(saved.clock, saved.clock_root)],
    }


def _read(text: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = serialization.load_pem_private_key(text.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = "not a key of this program"
        raise TypeError(msg)
    return key


def _written(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, form, serialization.NoEncryption()).decode()


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
