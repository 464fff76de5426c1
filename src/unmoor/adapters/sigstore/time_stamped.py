"""Check the statement that a forge signs itself about an immutable release.

GitHub signs it with a certificate of its own authority. It has a time stamp (RFC 3161) and no entry in a public log, so
sigstore-python refuses the bundle. What is done here is the rest of sigstore's checks: the time stamp by
rfc3161-client, the chain by cryptography at that time, the signature of the envelope. Certificates of that authority
are in no log either.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor import advice
from unmoor.adapters.sigstore.reading import IN_TOTO, bounded, readable, silence, wrong
from unmoor.errors import Unknown
from unmoor.filesystem.commands import save_command
from unmoor.ports.signer import Bundle, ForgeStatement
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot

SIGNER = "https://dotcom.releases.github.com"
"""Whom GitHub's certificates for statements about releases name."""
ORGANISATION = "GitHub, Inc."
"""The organisation in the name of GitHub's own authority."""
_MOST_STAMPS = 8
_CHAIN = 2


def forge_statement(data: Bundle, roots: tuple[TrustedRoot, ...]) -> ForgeStatement:
    """Check a bundle against the authorities of GitHub among the trusted roots. Raises `BadSignature`, `Unknown`."""
    from cryptography.x509 import load_der_x509_certificate
    from sigstore_models.bundle.v1 import Bundle as Document

    silence()
    with readable("the forge's attestation"):
        raw = decode_json(bounded(data), dict[str, Any])
        # The model requires the list, which is left out if it is empty.
        raw["verificationMaterial"].setdefault("tlogEntries", [])
        read = Document.from_dict(raw)
        material, envelope = read.verification_material, read.dsse_envelope
        if material.certificate is None or envelope is None or len(envelope.signatures) != 1:
            msg = "it is not a statement with a certificate and one signature"
            raise ValueError(msg)
        certificate = load_der_x509_certificate(material.certificate.raw_bytes)
        stamps = material.timestamp_verification_data
        stamped = [each.signed_timestamp for each in stamps.rfc3161_timestamps] if stamps else []
        signature = envelope.signatures[0].sig
        issuer, signers = _organisation(certificate), _names(certificate)
    own = [root for root in roots if any(_is_forges(each) for each in _certificates(root))]
    if not own:
        raise Unknown(
            "no trusted root has the keys with which the forge signs its own statements",
            next_step=advice.GIVE_FORGE_ROOT(command=save_command("gh attestation trusted-root", Path("roots.jsonl"))),
            retryable=False,
        )
    if issuer != ORGANISATION or signers != [SIGNER]:
        raise wrong(f"its certificate is of {clean(', '.join(signers), 100)} by {clean(issuer, 60)}, and not GitHub's")
    if len(stamped) > _MOST_STAMPS:
        raise wrong(f"it has {len(stamped)} time stamps")
    when = _time(own, stamped, signature)
    _check_chain(own, certificate, when)
    _check_signature(certificate, envelope.payload_type, envelope.payload, signature)
    if envelope.payload_type != IN_TOTO:
        raise wrong(f"it signs {clean(envelope.payload_type, 80)!r}, and not a statement")
    with readable("the forge's statement"):
        document = decode_json(envelope.payload, dict[str, Any])
        subjects = tuple(
            (str(each.get("name") or each.get("uri") or ""), {str(k): str(v) for k, v in each["digest"].items()})
            for each in document["subject"]
        )
        return ForgeStatement(
            subjects=subjects,
            time=int(when.timestamp()),
            predicate_type=str(document["predicateType"]),
            predicate=dict(document["predicate"]),
        )


def _certificates(root: TrustedRoot) -> list[Certificate]:
    with readable("the trusted root"):
        return root.get_fulcio_certs()


def _is_forges(certificate: Certificate) -> bool:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [each.value for each in names] == [ORGANISATION]


def _organisation(certificate: Certificate) -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return ", ".join(str(each.value) for each in names)


def _names(certificate: Certificate) -> list[str]:
    from cryptography import x509

    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(getattr(each, "value", "")) for each in found]


def _time(roots: list[TrustedRoot], stamped: list[bytes], signature: bytes) -> datetime:
    """The time of the first stamp that a trusted authority made of the signature. Raises `BadSignature`."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    for authority in (each for root in roots for each in root.get_timestamp_authorities()):
        chain = authority.certificates(allow_expired=True)
        if len(chain) < _CHAIN:
            continue
        builder = VerifierBuilder().tsa_certificate(chain[0]).add_root_certificate(chain[-1])
        for certificate in chain[1:-1]:
            builder = builder.add_intermediate_certificate(certificate)
        for stamp in stamped:
            with readable("a time stamp of the forge's attestation"):
                response = decode_timestamp_response(stamp)
                try:
                    builder.build().verify_message(response, signature)
                except VerificationError:
                    continue
                when = response.tst_info.gen_time
            end = authority.validity_period_end
            if authority.validity_period_start <= when and (end is None or when < end):
                return when
    raise wrong("it has no time stamp of a trusted authority")


def _check_chain(roots: list[TrustedRoot], certificate: Certificate, when: datetime) -> None:
    """Check that a forge's authority made the certificate, and that it was valid. Raises `BadSignature`."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID
    from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

    # A client's certificate would be for authentication; this one is for signing, as is checked below.
    anything = {
        "ca_policy": ExtensionPolicy.webpki_defaults_ca().may_be_present(
            x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
        ),
        "ee_policy": ExtensionPolicy.webpki_defaults_ee().may_be_present(
            x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None
        ),
    }
    trusted = [each for root in roots for each in _certificates(root) if _is_forges(each)]
    verifier = PolicyBuilder().store(Store(trusted)).time(when).extension_policies(**anything).build_client_verifier()
    try:
        verifier.verify(certificate, [])
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (VerificationError, x509.UnsupportedGeneralNameType, x509.ExtensionNotFound) as error:
        raise wrong(f"its certificate is not of a trusted authority: {clean(str(error), 120)}") from error
    if ExtendedKeyUsageOID.CODE_SIGNING not in usages:
        raise wrong("its certificate is not for signing")


def _check_signature(certificate: Certificate, kind: str, payload: bytes, signature: bytes) -> None:
    """Check the signature of a DSSE envelope (its protocol, version 1). Raises `BadSignature`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise wrong("its key is not one of an elliptic curve")
    name = kind.encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
    sizes: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
    try:
        key.verify(signature, signed, ec.ECDSA(sizes.get(key.key_size, hashes.SHA256())))
    except InvalidSignature as error:
        raise wrong("invalid signature") from error
