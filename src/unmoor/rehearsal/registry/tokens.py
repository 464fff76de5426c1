"""Tokens of the local registry: JSON Web Tokens, signed by a key that is made anew for each start.

The registry knows the key's certificate and takes nothing else (``auth.token`` of its configuration).
The format is the one of "Token Authentication Specification" of the distribution project.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER = "unmoor"
LIFE = 300
"""Seconds that a token is good for."""
SLACK = 60
ALGORITHM = "ES256"


class Access(msgspec.Struct, frozen=True):
    """What a token lets its bearer do with one repository; as it stands in the token."""

    type: str
    name: str
    actions: tuple[str, ...]


class Claims(msgspec.Struct, frozen=True):
    """What we read of a token; ``sub`` is empty for a token that nobody in particular asked for."""

    sub: str
    aud: str
    exp: int
    access: tuple[Access, ...]


def scopes(texts: Iterable[str]) -> list[Access]:
    """Read ``TYPE:NAME:ACTION,…``, as ``scope`` says it: repeated, or several in one text. Skips what is none."""
    found = []
    for text in " ".join(texts).split():
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind and name and actions:
            found.append(Access(kind, name, tuple(actions.split(","))))
    return found


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A key, and the certificate that the registry trusts. ES256: a key is made in 2 ms, an RSA key in 200."""

    key: EllipticCurvePrivateKey
    der: bytes

    @classmethod
    def make(cls) -> Signer:
        """Make a key, and a certificate that it signs itself."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unmoor rehearsal")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key=key, der=certificate.public_bytes(serialization.Encoding.DER))

    @property
    def pem(self) -> bytes:
        """The certificate, as ``rootcertbundle`` wants it."""
        body = base64.encodebytes(self.der)
        return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"

    def token(self, subject: str, service: str, access: Iterable[Access]) -> str:
        """Sign a token."""
        import jwt

        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": subject,
            "aud": service,
            "iat": now,
            "nbf": now - SLACK,
            "exp": now + LIFE,
            "jti": secrets.token_hex(8),
            "access": msgspec.to_builtins(list(access)),
        }
        headers = {"x5c": [base64.b64encode(self.der).decode()]}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers=headers)

    def read(self, token: str) -> Claims | None:
        """Read a token of ours, ``None`` for any other, and for one whose time is over."""
        import jwt

        try:
            # The registry behind the proxy checks the audience.
            claims = jwt.decode(token, self.key.public_key(), algorithms=[ALGORITHM], options={"verify_aud": False})
            return msgspec.convert(claims, Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
