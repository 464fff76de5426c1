"""The registry's token server, and a proxy in front of it that gives GHCR's answers where they differ.

GHCR authenticates first, and refuses later: 403 with ``permission_denied: write_package`` at the start of an upload,
405 for deleting a manifest. It redirects a request for referrers to its website. Without a login there is no token for
a private package. Lists of tags have pages and an order (`tag_list`); registries other than GHCR list referrers
(`referrers`). Everything else is the registry's own answer, streamed both ways.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from unmoor.rehearsal.registry.referrers import INDEX, SUBJECT, referrers_of, subject_of
from unmoor.rehearsal.registry.rules import Endpoint, Rules, Who
from unmoor.rehearsal.registry.tag_list import TagPage
from unmoor.rehearsal.registry.tokens import Claims, Signer, scopes
from unmoor.rehearsal.registry.upstream import Answer, Upstream
from unmoor.rehearsal.shared.http import answer_gone, drain, note
from unmoor.rehearsal.shared.job_tokens import JobToken, JobTokens

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_READS = ("GET", "HEAD")
_UPLOADS = ("PATCH", "PUT")
_VERSION = {"docker-distribution-api-version": "registry/2.0"}
_OWN = frozenset(
    b"connection date expect keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding".split()
)
"""Headers of one connection (RFC 9110, 7.6.1), and those that the proxy's server writes itself."""


class Refused(Exception):
    """A refusal of the proxy: a status, and one error of the distribution specification."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse(
            {"errors": [{"code": code, "message": message}]},
            status,
            _VERSION | headers,
        )


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """The passwords of a registry: two, and the tokens of jobs. As on GHCR, user names do not matter."""

    writer: str
    reader: str
    jobs: JobTokens

    def who(self, authorization: str) -> Who:
        """Return who sends a request. Raises a 403 for a wrong password."""
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
            if job := self.jobs.of(password):
                return _who_is(job)
        raise Refused(HTTPStatus.FORBIDDEN, "DENIED", "denied")


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
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
            # A body that was read already raises RuntimeError.
            with contextlib.suppress(RuntimeError):
                await drain(request)
            response = refused.answer
        except ClientDisconnect as error:
            response = await answer_gone(request, error)
        except OSError as error:
            response = JSONResponse(
                {"errors": [{"code": "UNAVAILABLE", "message": str(error)}]}, HTTPStatus.BAD_GATEWAY
            )
        await response(scope, receive, send)

    async def _token(self, request: Request) -> Response:
        """``GET /token``: a token for the permitted part of each scope."""
        if request.method != "GET":
            # Some clients first post the password in a form, which must not be checked.
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
        who = self.logins.who(request.headers.get("authorization", ""))
        requested = scopes(request.query_params.getlist("scope"))
        granted = self.rules.grant(who, requested)
        # Without a login, a request to write is refused later.
        writes = any("push" in each.actions for each in requested)
        if self.rules.is_ghcr and who is Who.NOBODY and not granted and not writes:
            raise Refused(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "authentication required")
        return JSONResponse({"token": self.signer.token(who, self.rules.site.host, granted)})

    async def _registry(self, request: Request, send: Send) -> None:
        """``/v2/…``: forward it, unless GHCR would refuse it."""
        endpoint = Endpoint.of(request.url.path)
        if endpoint is not None and (endpoint.kind, request.method) == ("referrers", "GET") and self.rules.is_ghcr:
            await _website(endpoint)(request.scope, request.receive, send)
            return
        headers = [(name, value) for name, value in request.scope["headers"] if name not in _OWN]
        if "transfer-encoding" in request.headers:
            headers.append((b"transfer-encoding", b"chunked"))
        if endpoint is not None:
            if self.rules.is_ghcr and not self._lets_in(request, endpoint):
                headers = [(name, value) for name, value in headers if name != b"authorization"]
            _note_query(request, endpoint)
        body = self._body(request, endpoint)
        if endpoint is not None and self._is_put(request, endpoint) and self.rules.keeps_tags:
            body = await self._refuse_moved_tag(body, endpoint)
        subject = ""
        if endpoint is not None and self._is_put(request, endpoint) and self.rules.lists_referrers:
            manifest = b"".join([piece async for piece in body])
            subject, body = subject_of(manifest), _one(manifest)
        query = request.scope["query_string"]
        target = request.scope["raw_path"] + (b"?" + query if query else b"")
        lists = endpoint is not None and endpoint.kind == "referrers" and self.rules.lists_referrers
        if lists and endpoint is not None:
            # Anyone who can read the tags can read the list.
            target = f"/v2/{endpoint.name}/tags/list".encode()
        lists_tags = endpoint is not None and (endpoint.kind, endpoint.rest, request.method) == ("tags", "list", "GET")
        async with self.upstream.ask(request.method, target, headers, body) as answer:
            if lists_tags and answer.status == HTTPStatus.OK:
                response = await _page_of_tags(request.url.query, answer)
                await response(request.scope, request.receive, send)
            elif lists and endpoint is not None and answer.status == HTTPStatus.OK:
                response = self._list_referrers(request, endpoint)
                await response(request.scope, request.receive, send)
            else:
                await self._pass_on(request, endpoint, answer, send, subject)

    def _lets_in(self, request: Request, endpoint: Endpoint) -> bool:
        """Whether GHCR accepts the token of a request. Raises GHCR's own refusals."""
        claims = self._claims(request)
        if claims is None:
            return True
        who = Who(claims.sub)
        reads = request.method in _READS
        may = self.rules.may_pull(who, endpoint.name) if reads else self.rules.may_push(who, endpoint.name)
        if not may and not reads and who is Who.NOBODY:
            message = "unauthenticated: User cannot be authenticated with the token provided."
            raise Refused(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", message)
        if not may and who is not Who.NOBODY:
            raise Refused(HTTPStatus.FORBIDDEN, "DENIED", f"permission_denied: {'read' if reads else 'write'}_package")
        if request.method == "DELETE" and not endpoint.rest.startswith("uploads/"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
        return may

    def _claims(self, request: Request) -> Claims | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.signer.read(token.strip()) if scheme.lower() == "bearer" else None

    def _is_put(self, request: Request, endpoint: Endpoint) -> bool:
        return request.method == "PUT" and endpoint.kind == "manifests"

    async def _body(self, request: Request, endpoint: Endpoint | None) -> AsyncIterator[bytes]:
        """Yield the body of a request, and note how much of a blob has come."""
        is_blob = endpoint is not None and endpoint.kind == "blobs" and request.method in _UPLOADS
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if is_blob:
                note(request, size=size)
            yield piece

    async def _refuse_moved_tag(self, body: AsyncIterator[bytes], endpoint: Endpoint) -> AsyncIterator[bytes]:
        """Read a manifest. Refuse to move a tag to it from another one."""
        data = b"".join([piece async for piece in body])
        held = self.rules.digest_of(endpoint.name, endpoint.rest)
        if held and held != f"sha256:{hashlib.sha256(data).hexdigest()}":
            raise Refused(
                HTTPStatus.BAD_REQUEST,
                "TAG_INVALID",
                f"The image tag {endpoint.rest!r} already exists in the {endpoint.name!r} repository "
                "and cannot be overwritten because the repository is immutable.",
            )
        return _one(data)

    def _list_referrers(self, request: Request, endpoint: Endpoint) -> Response:
        body, headers = referrers_of(self.rules.site, endpoint.name, endpoint.rest, request.url.query)
        return Response(body, headers={**_VERSION, **headers}, media_type=INDEX)

    async def _pass_on(
        self, request: Request, endpoint: Endpoint | None, answer: Answer, send: Send, subject: str = ""
    ) -> None:
        """Forward the registry's answer; for a new manifest with a ``subject``, say that it is listed there."""
        if digest := answer.header(b"docker-content-digest"):
            note(request, digest=digest)
        headers = [(name, value) for name, value in answer.headers if name not in _OWN]
        stored = endpoint is not None and self._is_put(request, endpoint) and answer.status == HTTPStatus.CREATED
        if stored and subject:
            headers.append((SUBJECT.encode(), subject.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        # If the registry disconnects now, uvicorn closes the client's connection, too.
        with contextlib.suppress(OSError):
            async for piece in answer.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _page_of_tags(query: str, answer: Answer) -> Response:
    """Cut the requested page out of the registry's list of all tags. Raises a 400."""
    try:
        page = TagPage.of(query)
    except ValueError:
        message = "invalid number of results requested"
        raise Refused(HTTPStatus.BAD_REQUEST, "PAGINATION_NUMBER_INVALID", message) from None
    body, link = page.cut(b"".join([piece async for piece in answer.pieces()]))
    headers = _VERSION | ({"link": link} if link else {})
    return Response(body, headers=headers, media_type="application/json")


def _website(endpoint: Endpoint) -> Response:
    """GHCR's answer to a request for referrers: a page of GitHub's website, which is at another address there."""
    page = f"/-/v2/packages/container/package/{quote(endpoint.name, safe='')}%2Freferrers%2Fsha256"
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": page})


def _who_is(job: JobToken) -> Who:
    if job.may("packages", "write"):
        return Who.WRITER
    return Who.READER if job.may("packages", "read") else Who.STRANGER


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _note_query(request: Request, endpoint: Endpoint) -> None:
    """Add the query of a request for blobs to its line in the log."""
    query = parse_qs(request.scope["query_string"].decode("latin-1"))
    for name in ("digest", "mount", "from"):
        if name in query and endpoint.kind == "blobs":
            note(request, **{name: query[name][0][:300]})
