"""The answers that a failing service gives instead of doing its work, each in that service's own form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from unmoor.rehearsal.faults.routes import kind_of
from unmoor.rehearsal.shared.http import CUT, GONE, REASON, drain, reason_phrase

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PAUSE = "1"
"""What a busy server asks for, in seconds."""
HOURS = "55569"
_DRIP = 0.2
_INDEXES = frozenset({"pypi", "testpypi"})
_CODES = {
    HTTPStatus.BAD_REQUEST: "UNSUPPORTED",
    HTTPStatus.UNAUTHORIZED: "UNAUTHORIZED",
    HTTPStatus.FORBIDDEN: "DENIED",
    HTTPStatus.NOT_FOUND: "MANIFEST_UNKNOWN",
    HTTPStatus.TOO_MANY_REQUESTS: "TOOMANYREQUESTS",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
}


class _Words(msgspec.Struct, frozen=True):
    status: HTTPStatus
    text: str
    retry_after: str = ""


_REUSE = "See /help/#file-name-reuse for more information."
_WORDS: Mapping[str, _Words] = {
    "busy": _Words(HTTPStatus.TOO_MANY_REQUESTS, "busy", PAUSE),
    "busy-for-hours": _Words(HTTPStatus.TOO_MANY_REQUESTS, "too many requests", HOURS),
    "rate-limited": _Words(HTTPStatus.FORBIDDEN, "You have exceeded a secondary rate limit.", PAUSE),
    "bad-request": _Words(HTTPStatus.BAD_REQUEST, "bad request"),
    "forbidden": _Words(HTTPStatus.FORBIDDEN, "denied"),
    "broken": _Words(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error"),
    "broken-after": _Words(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error"),
    "down": _Words(HTTPStatus.SERVICE_UNAVAILABLE, "no healthy upstream"),
    "down-after": _Words(HTTPStatus.SERVICE_UNAVAILABLE, "first byte timeout"),
    "file-too-large": _Words(HTTPStatus.BAD_REQUEST, "File too large. Limit for project is 100 MB."),
    "name-used-before": _Words(
        HTTPStatus.BAD_REQUEST,
        f"This filename was previously used by a file that has since been deleted. Use a different version. {_REUSE}",
    ),
    "release-closed": _Words(
        HTTPStatus.BAD_REQUEST, "Uploading new files to releases older than 14 days is not allowed."
    ),
    "immutable-tag": _Words(
        HTTPStatus.BAD_REQUEST, "The image tag already exists and cannot be overwritten: the repository is immutable."
    ),
}


def refusal(service: str, status: HTTPStatus, text: str, *, code: str = "", retry_after: str = "") -> Response:
    """Return a refusal as a service words it. ``code`` is that of a registry's error."""
    headers = {"retry-after": retry_after} if retry_after else {}
    kind = kind_of(service)
    if kind in _INDEXES:
        # PyPI explains in the reason phrase.
        return PlainTextResponse(f"{status.value} {text}\n", status, {**headers, REASON.decode(): reason_phrase(text)})
    if kind == "registry":
        errors = [{"code": code or _CODES.get(status, "UNKNOWN"), "message": text}]
        return JSONResponse({"errors": errors}, status, headers)
    if kind in ("forge", "storage"):
        return JSONResponse({"message": text, "documentation_url": "https://docs.github.com/rest"}, status, headers)
    if kind == "sigstore":
        return JSONResponse({"code": status.value, "message": text}, status, headers)
    return PlainTextResponse(f"{text}\n", status, headers)


def worded(fault: str, service: str) -> Response:
    """Return the refusal of a fault that has one. Raises `KeyError` for any other."""
    words = _WORDS[fault]
    code = "TAG_INVALID" if fault == "immutable-tag" else ""
    return refusal(service, words.status, words.text, code=code, retry_after=words.retry_after)


def instead(fault: str, service: str) -> ASGIApp:
    """Return what answers instead of the server, without its work. The request's body is read, except for a reset."""
    if fault == "reset-before":
        return cut(resets=True)
    made = _INSTEAD.get(fault)
    return _after_reading(made() if made else worded(fault, service))


def afterwards(fault: str, service: str) -> ASGIApp:
    """Return what answers instead of the server, once its work is done."""
    match fault:
        case "lost-reply":
            return cut(resets=False)
        case "reset-after":
            return cut(resets=True)
        case "silent-after":
            return silence
        case _:
            return worded(fault, service)


def cut(*, resets: bool) -> Response:
    """Return an answer that is never sent: the connection is closed instead, or reset."""
    return Response(status_code=GONE, headers={CUT: "reset" if resets else "close"})


def _mint_refusal() -> Response:
    words = "valid token, but no corresponding publisher (Publisher with matching claims was not found)"
    errors = [{"code": "invalid-publisher", "description": words}]
    body = {"message": "Token request failed", "errors": errors}
    return JSONResponse(body, HTTPStatus.UNPROCESSABLE_ENTITY)


def _immutable_release() -> Response:
    words = "tag_name was used by an immutable release"
    errors = [{"resource": "Release", "code": "custom", "field": "tag_name", "message": words}]
    body = {"message": "Validation Failed", "errors": errors, "status": "422"}
    return JSONResponse(body, HTTPStatus.UNPROCESSABLE_ENTITY)


def _after_reading(answer: ASGIApp) -> ASGIApp:
    """Read the request's body before the answer. Otherwise a client that still sends gets a reset instead."""

    async def read_first(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await drain(Request(scope, receive))
        except ClientDisconnect:
            await Response(status_code=GONE)(scope, receive, send)
            return
        await answer(scope, receive, send)

    return read_first


async def silence(scope: Scope, receive: Receive, send: Send) -> None:
    """Wait until the client gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    await Response(status_code=GONE)(scope, receive, send)


async def _drops() -> AsyncIterator[bytes]:
    """Bytes, one at a time, with so little between them that no time-out of a read ends it."""
    while True:
        yield b" "
        await asyncio.sleep(_DRIP)


_INSTEAD: Mapping[str, Callable[[], ASGIApp]] = {
    "silent": lambda: silence,
    "drip": lambda: StreamingResponse(_drops(), media_type="application/json"),
    "garbage": lambda: HTMLResponse("<html><title>Welcome</title></html>\n"),
    "bad-gateway": lambda: HTMLResponse("<html><h1>502 Bad Gateway</h1></html>\n", HTTPStatus.BAD_GATEWAY),
    "invalid-publisher": _mint_refusal,
    "immutable-release": _immutable_release,
}
