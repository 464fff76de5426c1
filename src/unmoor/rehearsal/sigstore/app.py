"""Fulcio and Rekor as one server.

Control files in its folder: ``fulcio-ahead`` and ``log-ahead`` have the seconds by which their clocks are
ahead. The addresses are ``/api/v2`` for Fulcio, ``/api/v1`` for Rekor.
"""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.http import answer_full, answer_gone, note
from unmoor.rehearsal.shared.oidc import ALGORITHM, Issuer
from unmoor.rehearsal.sigstore import trust
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from unmoor.rehearsal.sigstore.authority import Authority
    from unmoor.rehearsal.sigstore.log import Log

AUDIENCE = "sigstore"
"""The audience of the ID tokens that Fulcio takes."""
LEEWAY = 300
"""How long before its time Fulcio takes a token, in seconds."""
_BAD_TOKEN = "There was an error processing the identity token"  # noqa: S105 - Fulcio's words
_INVALID_ARGUMENT = 3
"""gRPC's code in Fulcio's refusals."""
_RSA_SIZES = (2048, 3072, 4096)


class Refusal(Exception):
    """A refusal, with the status and the body of the answer."""

    def __init__(self, status: int, body: object, **headers: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers


class _CertificateRequest(msgspec.Struct, frozen=True, rename="camel"):
    certificate_signing_request: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Sigstore:
    """An instance: its folder, its address without a slash at the end, the issuer it trusts, its trust config."""

    folder: Path
    base: str
    issuer: Issuer
    trust: Path
    clock: Callable[[], float] = time.time
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, repr=False)

    def begin(self) -> None:
        """Read or make the keys, the log and the trust config, once."""
        from unmoor.rehearsal.sigstore.authority import Authority
        from unmoor.rehearsal.sigstore.log import Log

        with self._making:
            if self._made:
                return
            authority = Authority.open(self.folder / "keys.json")
            log = Log(self.folder / "log.jsonl", authority.entries)
            if not trust.is_current(self.trust, base=self.base, issuer=self.issuer.base):
                trust.write(self.trust, authority, base=self.base, issuer=self.issuer.base)
            self._made.update(authority=authority, log=log)

    def trusted(self) -> Path:
        """Return the path of the trust config, which is there from then on."""
        self.begin()
        return self.trust

    @property
    def authority(self) -> Authority:
        """Its keys and certificates."""
        self.begin()
        authority: Authority = self._made["authority"]
        return authority

    @property
    def log(self) -> Log:
        """Rekor's log."""
        self.begin()
        log: Log = self._made["log"]
        return log

    def _now(self, whose: str) -> float:
        return self.clock() + sum(map(float, store.lines(self.folder / f"{whose}-ahead")))

    def certify(self, body: bytes, authorization: str) -> dict[str, Any]:
        """Issue a certificate for the sender of an ID token, as Fulcio does, and in its order. Raises `Refusal`."""
        from unmoor.rehearsal.sigstore.authority import pem
        from unmoor.rehearsal.sigstore.claims import Principal

        now = self._now("fulcio")
        claims = self._claims(authorization, now)
        key = _requested_key(body)
        try:
            principal = Principal.of(claims)
        except ValueError as error:
            raise _refused(str(error)) from None
        certificate = self.authority.issue(principal, key, now)
        chain = [certificate, self.authority.intermediate, self.authority.root]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": [pem(each) for each in chain]}}}

    def _claims(self, authorization: str, now: float) -> dict[str, Any]:
        import jwt

        _scheme, _, token = authorization.partition(" ")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.issuer.public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self.issuer.base,
                # The time is checked below, by Fulcio's own clock.
                options={
                    "require": ["iss", "aud", "exp", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            raise _refused(_BAD_TOKEN) from None
        if not claims.get("nbf", now) - LEEWAY <= now < claims["exp"]:
            raise _refused(_BAD_TOKEN)
        return claims

    def record(self, body: bytes) -> dict[str, Any]:
        """Add an entry to the log, as Rekor does. Raises `Refusal`."""
        from unmoor.rehearsal.sigstore.entries import canonical
        from unmoor.rehearsal.sigstore.log import Known

        try:
            entry = canonical(body)
        except ValueError as error:
            raise _problem(HTTPStatus.BAD_REQUEST, f"error processing entry: {error}") from None
        try:
            return self.log.add(entry, self._now("log"))
        except Known as known:
            text = f"an equivalent entry already exists in the transparency log with UUID {known.uuid}"
            raise _problem(HTTPStatus.CONFLICT, text, location=f"/api/v1/log/entries/{known.uuid}") from None

    async def certificate(self, request: Request) -> Response:
        """``POST /api/v2/signingCert``."""
        body, authorization = await request.body(), request.headers.get("authorization", "")
        return JSONResponse(await asyncio.to_thread(self.certify, body, authorization))

    async def trust_bundle(self, _request: Request) -> Response:
        """``GET /api/v2/trustBundle``."""
        from unmoor.rehearsal.sigstore.authority import pem

        authority = await asyncio.to_thread(lambda: self.authority)
        return JSONResponse({"chains": [{"certificates": [pem(authority.intermediate), pem(authority.root)]}]})

    async def create(self, request: Request) -> Response:
        """``POST /api/v1/log/entries``."""
        answer = await asyncio.to_thread(self.record, await request.body())
        uuid = next(iter(answer))
        note(request, index=answer[uuid]["logIndex"])
        headers = {"location": f"/api/v1/log/entries/{uuid}", "etag": uuid}
        return JSONResponse(answer, HTTPStatus.CREATED, headers)

    async def entry(self, request: Request) -> Response:
        """``GET /api/v1/log/entries/UUID`` and ``GET /api/v1/log/entries?logIndex=…``."""
        log = await asyncio.to_thread(lambda: self.log)
        if "uuid" in request.path_params:
            found = log.named(request.path_params["uuid"])
        else:
            text = request.query_params.get("logIndex", "")
            found = log.at(int(text)) if text.isascii() and text.isdecimal() else None
        if found is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "")
        return JSONResponse(found)

    def _state(self) -> dict[str, Any]:
        return self.log.state()

    async def state(self, _request: Request) -> Response:
        """``GET /api/v1/log``."""
        return JSONResponse(await asyncio.to_thread(self._state))

    async def public_key(self, _request: Request) -> Response:
        """``GET /api/v1/log/publicKey``."""
        key = (await asyncio.to_thread(lambda: self.authority)).entries
        lines = base64.encodebytes(key.public).decode()
        text = f"-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n"
        return PlainTextResponse(text, media_type="application/x-pem-file")


def _requested_key(body: bytes) -> CertificatePublicKeyTypes:
    """Return the key in a certificate signing request, which proves that its sender has the private one."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        wanted = decode_json(body, _CertificateRequest).certificate_signing_request
    except ValueError:
        raise _refused("invalid JSON") from None
    if not wanted:
        raise _refused("The public key supplied in the request could not be parsed")
    try:
        request = x509.load_pem_x509_csr(wanted)
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _refused("The certificate signing request could not be parsed") from None
    is_strong = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {"secp256r1", "secp384r1", "secp521r1"}
    is_strong = is_strong or (isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_SIZES)
    if not is_strong and not isinstance(key, ed25519.Ed25519PublicKey):
        raise _refused("The public key supplied in the request is insecure")
    if not request.is_signature_valid:
        raise _refused("The signature supplied in the request could not be verified")
    return key


def _refused(message: str) -> Refusal:
    """Refuse as Fulcio does."""
    return Refusal(HTTPStatus.BAD_REQUEST, {"code": _INVALID_ARGUMENT, "message": message, "details": []})


def _problem(status: int, message: str, **headers: str) -> Refusal:
    """Refuse as Rekor does."""
    return Refusal(status, {"code": int(status), "message": message}, **headers)


async def _answer_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    if isinstance(error.body, dict):
        note(request, outcome=error.body["message"][:200])
    return JSONResponse(error.body, error.status, error.headers)


def app(instance: Sigstore) -> ASGIApp:
    """Return the instance as an ASGI app."""
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Refusal: _answer_refusal,
        ClientDisconnect: answer_gone,
        OSError: answer_full,
    }
    at = "/api/v1/log"
    routes = [
        Route("/api/v2/signingCert", instance.certificate, methods=["POST"]),
        Route("/api/v2/trustBundle", instance.trust_bundle),
        Route(at, instance.state),
        Route(f"{at}/publicKey", instance.public_key),
        Route(f"{at}/entries", instance.create, methods=["POST"]),
        Route(f"{at}/entries", instance.entry),
        Route(f"{at}/entries/{{uuid}}", instance.entry),
    ]
    return Starlette(routes=routes, exception_handlers=handlers)
