"""Tokens of the local registry: JSON Web Tokens, signed with a key that is new for each start.

The registry accepts only the key's certificate (``auth.token`` in its configuration). Source of the format: "Token
Authentication Specification" of the distribution project.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from unmoor.util.decode import described

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER = "unmoor"
LIFE = 300
"""Lifetime of a token, in seconds."""
SLACK = 60
ALGORITHM = "ES256"


class Access(msgspec.Struct, frozen=True):
    """The permissions of a token on one repository, as in the token."""

    type: str
    name: str
    actions: tuple[str, ...]


class Claims(msgspec.Struct, frozen=True):
    """The claims of a token; ``sub`` is empty for a token without a login."""

    sub: str
    aud: str
    exp: int
    access: tuple[Access, ...]


def scopes(texts: Iterable[str]) -> list[Access]:
    """Parse scopes, ``TYPE:NAME:ACTION,…``: repeated, or several in one text. Skips invalid ones."""
    found = []
    for text in " ".join(texts).split():
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind and name and actions:
            found.append(Access(kind, name, tuple(actions.split(","))))
    return found


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A key, and the certificate that the registry trusts. An ES256 key takes 2 ms to make, an RSA key 200 ms."""

    key: EllipticCurvePrivateKey
    der: bytes

    @classmethod
    def make(cls) -> Signer:
        """Make a key and a self-signed certificate."""
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
        """The certificate in PEM format, for ``rootcertbundle``."""
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
        """Read a token that this key signed; ``None`` for any other, and for an expired one."""
        import jwt

        try:
            # The registry behind the proxy checks the audience.
            claims = jwt.decode(token, self.key.public_key(), algorithms=[ALGORITHM], options={"verify_aud": False})
            return msgspec.convert(claims, described(Claims))
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
