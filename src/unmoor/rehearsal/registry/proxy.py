"""What stands before the registry: its token server, and a proxy that gives GHCR's answers where they differ.

GHCR asks who somebody is first, and refuses later: 403 with ``permission_denied: write_package`` at the
start of an upload, 405 for deleting a manifest. A package that is not public gives strangers no token.
Everything else is the registry's own answer, streamed both ways.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from unmoor.rehearsal.registry.rules import Fault, Place, Rules, Who
from unmoor.rehearsal.registry.tokens import Claims, Signer, scopes
from unmoor.rehearsal.registry.upstream import Answer, Headers, Upstream
from unmoor.rehearsal.shared.http import CUT, answer_gone, drain, note

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_READS = ("GET", "HEAD")
_UPLOADS = ("PATCH", "PUT")
_OWN = frozenset(
    b"connection date expect keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding".split()
)
"""Headers that are one connection's own (RFC 9110, 7.6.1), and those that our server writes itself."""


class Refused(Exception):
    """An answer of our own: a status, and one error of the distribution specification."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse(
            {"errors": [{"code": code, "message": message}]},
            status,
            {"docker-distribution-api-version": "registry/2.0", **headers},
        )


class Cut(Exception):
    """The connection is to be reset."""


@dataclass(frozen=True, kw_only=True)
class Logins:
    """The two passwords of a registry; user names do not matter, as on GHCR."""

    writer: str
    reader: str

    def who(self, authorization: str) -> Who:
        """Say who this is. Raises a 403 for a password that is wrong."""
        if not authorization:
            return Who.NOBODY
        scheme, _, text = authorization.partition(" ")
        try:
            password = base64.b64decode(text, validate=True).partition(b":")[2]
        except binascii.Error:
            password = b""
        if scheme.lower() == "basic":
            for who, known in ((Who.WRITER, self.writer), (Who.READER, self.reader)):
                if hmac.compare_digest(password, known.encode()):
                    return who
        raise Refused(HTTPStatus.FORBIDDEN, "DENIED", "denied")


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One registry, as an ASGI app."""

    rules: Rules
    logins: Logins
    signer: Signer
    upstream: Upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        note(request, host=self.rules.site.host)
        try:
            if request.url.path == "/token":
                response = await self._token(request)
            elif request.url.path.startswith("/v2/"):
                await self._registry(request, send)
                return
            else:
                response = Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        except Refused as refused:
            # A body that was read already cannot be read again.
            with contextlib.suppress(RuntimeError):
                await drain(request)
            response = refused.answer
        except Cut:
            response = Response(status_code=499, headers={CUT: "reset"})
        except ClientDisconnect as error:
            response = await answer_gone(request, error)
        except OSError as error:
            response = JSONResponse(
                {"errors": [{"code": "UNAVAILABLE", "message": str(error)}]}, HTTPStatus.BAD_GATEWAY
            )
        await response(scope, receive, send)

    async def _token(self, request: Request) -> Response:
        """``GET /token``: a token for as much of each scope as may be."""
        if request.method != "GET":
            # Some clients first post the password in a form; it must not be looked at.
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
        self._fault(request)
        who = self.logins.who(request.headers.get("authorization", ""))
        asked = scopes(request.query_params.getlist("scope"))
        granted = self.rules.granted(who, asked)
        # To a stranger who wants to write it says no later.
        writes = any("push" in each.actions for each in asked)
        if self.rules.is_ghcr and who is Who.NOBODY and not granted and not writes:
            raise Refused(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "authentication required")
        return JSONResponse({"token": self.signer.token(who, self.rules.site.host, granted)})

    def _fault(self, request: Request) -> None:
        """Raise what was asked for."""
        words = f"{request.method} {request.url.path}"
        if self.rules.strikes(Fault.BROKEN, words):
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", "unknown error")
        if self.rules.strikes(Fault.BUSY, words):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "too many requests", **{"retry-after": "1"})

    async def _registry(self, request: Request, send: Send) -> None:
        """``/v2/…``: pass it on, unless GHCR would not."""
        self._fault(request)
        place = Place.of(request.url.path)
        headers = [(name, value) for name, value in request.scope["headers"] if name not in _OWN]
        if "transfer-encoding" in request.headers:
            headers.append((b"transfer-encoding", b"chunked"))
        if place is not None:
            if self.rules.is_ghcr and not self._lets_in(request, place):
                headers = [(name, value) for name, value in headers if name != b"authorization"]
            _tell(request, place)
        body = self._body(request, place, headers)
        if place is not None and self._is_put(request, place) and self.rules.strikes(Fault.IMMUTABLE, _words(request)):
            body = await self._unmoved(body, place)
        query = request.scope["query_string"]
        target = request.scope["raw_path"] + (b"?" + query if query else b"")
        async with self.upstream.ask(request.method, target, headers, body) as answer:
            await self._pass_on(request, place, answer, send)

    def _lets_in(self, request: Request, place: Place) -> bool:
        """Whether GHCR takes the token of a request into account; it refuses some by itself. Raises its refusal."""
        claims = self._claims(request)
        if claims is None:
            return True
        who = Who(claims.sub)
        reads = request.method in _READS
        may = self.rules.may_pull(who, place.name) if reads else self.rules.may_push(who, place.name)
        if not may and not reads and who is Who.NOBODY:
            message = "unauthenticated: User cannot be authenticated with the token provided."
            raise Refused(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", message)
        if not may and who is not Who.NOBODY:
            raise Refused(HTTPStatus.FORBIDDEN, "DENIED", f"permission_denied: {'read' if reads else 'write'}_package")
        if request.method == "DELETE" and not place.rest.startswith("uploads/"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
        return may

    def _claims(self, request: Request) -> Claims | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.signer.read(token.strip()) if scheme.lower() == "bearer" else None

    def _is_put(self, request: Request, place: Place) -> bool:
        return request.method == "PUT" and place.kind == "manifests"

    async def _body(self, request: Request, place: Place | None, headers: Headers) -> AsyncIterator[bytes]:
        """The body of a request; where a reset is due, it comes after the first half."""
        length = int(next((value for name, value in headers if name == b"content-length"), b"0"))
        is_blob = place is not None and place.kind == "blobs" and request.method in _UPLOADS
        comes_in = self._claims(request) is not None
        size = 0
        async for piece in request.stream():
            if is_blob and comes_in and piece and self.rules.strikes(Fault.RESET, _words(request)):
                yield piece[: max(1, length // 2)]
                note(request, fault=Fault.RESET)
                raise Cut
            size += len(piece)
            if is_blob:
                note(request, size=size)
            yield piece

    async def _unmoved(self, body: AsyncIterator[bytes], place: Place) -> AsyncIterator[bytes]:
        """Read a manifest; refuse to give a tag to it that another one has."""
        data = b"".join([piece async for piece in body])
        held = self.rules.digest_of(place.name, place.rest)
        if held and held != f"sha256:{hashlib.sha256(data).hexdigest()}":
            raise Refused(
                HTTPStatus.BAD_REQUEST,
                "TAG_INVALID",
                f"The image tag {place.rest!r} already exists in the {place.name!r} repository "
                "and cannot be overwritten because the repository is immutable.",
            )
        return _one(data)

    async def _pass_on(self, request: Request, place: Place | None, answer: Answer, send: Send) -> None:
        """Send the registry's answer."""
        if digest := answer.header(b"docker-content-digest"):
            note(request, digest=digest)
        headers = [(name, value) for name, value in answer.headers if name not in _OWN]
        stored = place is not None and self._is_put(request, place) and answer.status == HTTPStatus.CREATED
        if stored and self.rules.strikes(Fault.LOST_REPLY, _words(request)):
            note(request, fault=Fault.LOST_REPLY)
            headers.append((CUT.encode(), b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        # Where the registry breaks off now, uvicorn closes our connection as well.
        with contextlib.suppress(OSError):
            async for piece in answer.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _words(request: Request) -> str:
    return f"{request.method} {request.url.path}"


def _tell(request: Request, place: Place) -> None:
    """Note what the log should say besides the path."""
    query = parse_qs(request.scope["query_string"].decode("latin-1"))
    for name in ("digest", "mount", "from"):
        if name in query and place.kind == "blobs":
            note(request, **{name: query[name][0][:300]})
