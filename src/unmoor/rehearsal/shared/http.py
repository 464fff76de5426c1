"""HTTP helpers of the servers: the request log, reason phrases, cut connections, and ``Accept``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Mapping, MutableMapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from unmoor.adapters.process.sockets import reset_when_closed
from unmoor.rehearsal.shared.store import append_line

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REASON = b"x-reason"
CUT = "x-cut"
"""Header of an answer that is never sent: the connection is closed instead, or reset if its value is ``reset``.

If it is a number, the answer is sent, with so many bytes of its body before the connection is closed.
"""
DRAIN_LIMIT = 4 << 30
HEAD_LIMIT = 64 << 10
GONE = 499
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Connection(h11.Connection):
    """Sends the ``X-Reason`` header of an answer as its HTTP reason phrase.

    PyPI explains in the reason phrase why it refuses a file, and twine prints nothing else; ASGI cannot
    express it.
    """

    transport: asyncio.Transport | None = None
    _left: int | None = None

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        """Send an event; every other method to send uses this one."""
        if isinstance(event, h11.Response):
            cut = next((value for name, value in event.headers if name == CUT.encode()), None)
            if cut is not None and cut.isdigit():
                self._left = int(cut)
                event = _without(event, CUT.encode())
            elif cut is not None and self.transport is not None:
                super().send_with_data_passthrough(event)
                _cut(self.transport, resets=cut == b"reset")
                return []
            reason = next((value for name, value in event.headers if name == REASON), None)
            if reason is not None:
                event = _without(event, REASON, reason=reason)
        elif self._left is not None:
            return self._beginning(event)
        return super().send_with_data_passthrough(event)

    def _beginning(self, event: h11.Event) -> list[bytes]:
        """Send what is left to be sent of a body, then close the connection."""
        data = b"".join(super().send_with_data_passthrough(event) or ())[: self._left]
        if not data and self.transport is not None:
            self.transport.close()
        self._left = (self._left or 0) - len(data)
        return [data] if data else []


def _without(event: h11.Response, header: bytes, *, reason: bytes | None = None) -> h11.Response:
    headers = [(name, value) for name, value in event.headers if name != header]
    return h11.Response(
        status_code=event.status_code, headers=headers, reason=event.reason if reason is None else reason
    )


def _cut(transport: asyncio.Transport, *, resets: bool) -> None:
    """Close a connection at once; the client sees a reset, or an end without an answer."""
    if resets:
        reset_when_closed(transport.get_extra_info("socket"))
    transport.abort()


class ReasonProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol over a connection that can send reason phrases; ``conn`` is uvicorn's internal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(h11.SERVER, self.config.h11_max_incomplete_event_size or HEAD_LIMIT)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the new connection its transport."""
        super().connection_made(transport)
        if isinstance(self.conn, _Connection):
            self.conn.transport = transport


def reason_phrase(text: str) -> str:
    """Convert a text to a valid reason phrase: one line of printable ASCII."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:1000]


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """Choose the offer that ``Accept`` (RFC 9110, 12.5.1) prefers.

    The first one wins a tie; ``None`` if none fits.
    """
    if not accept.strip():
        return offers[0]
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        name, _, rest = part.partition(";")
        qualities[name.strip().lower()] = _quality(rest)

    def quality(offer: str) -> float:
        ranges = (offer, offer.split("/", 1)[0] + "/*", "*/*")
        return next((qualities[each] for each in ranges if each in qualities), 0.0)

    best = max(offers, key=quality)
    return best if quality(best) > 0 else None


def _quality(parameters: str) -> float:
    """Return the ``q`` of a media range; 1 if it is absent, 0 if it is not a number."""
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def drain(request: Request, *, patience: float = 10.0) -> None:
    """Read a body to its end and discard it. End earlier if the client sends nothing for ``patience`` seconds.

    If a server answers and closes while the client still sends, the client gets a reset connection instead
    of the answer. But some clients announce a body in pieces and never send one.
    """
    size = 0
    pieces = request.stream()
    while size <= DRAIN_LIMIT:
        try:
            size += len(await asyncio.wait_for(anext(pieces), patience))
        except (StopAsyncIteration, TimeoutError):
            return


def note(request: Request, **facts: object) -> None:
    """Add facts to the request's line in the log. Never a header, never a secret."""
    request.scope.setdefault("unmoor.notes", {}).update(facts)


async def answer_gone(_request: Request, _error: Exception) -> Response:
    """Answer a client that has disconnected: only a status for the log."""
    return Response(status_code=GONE)


async def answer_full(_request: Request, error: Exception) -> Response:
    """Answer 507 if the disk is full. Raises any other error again."""
    if not isinstance(error, OSError) or error.errno not in _FULL:
        raise error
    return PlainTextResponse(f"{error.strerror}\n", HTTPStatus.INSUFFICIENT_STORAGE)


class Ports:
    """One ASGI app for several sockets: each request goes to the app of its port.

    A request must name that server: a web page of another host could reach it through a name of its own that leads
    to 127.0.0.1 (DNS rebinding), but cannot choose the ``Host`` header.
    """

    def __init__(self, apps: Mapping[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with 421 if it is for another host."""
        port = scope["server"][1]
        own = f"127.0.0.1:{port}"
        app = self._apps[port]
        if [value for name, value in scope["headers"] if name == b"host"] != [own.encode()]:
            app = PlainTextResponse(f"This server answers only as {own}.\n", HTTPStatus.MISDIRECTED_REQUEST)
        await app(scope, receive, send)


class Logged:
    """Writes one line to the request log for each request, before its answer goes out.

    The status is 499 if the client disconnected before the answer, or got none. ``at`` is when the request came in, in
    seconds since 1970, and ``retry_after`` how long the answer asks to wait.
    """

    def __init__(self, app: ASGIApp, *, server: str, log: int) -> None:
        self._app = app
        self._server = server
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes: dict[str, object] = scope.setdefault("unmoor.notes", {})
        line = {"server": self._server, "method": scope["method"], "path": scope["path"][:500]}
        begun, answered = round(time.time(), 3), False

        def write(status: int) -> None:
            # On a full disk, reads still work.
            with contextlib.suppress(OSError):
                append_line(self._log, {**line, "status": status, "at": begun, **notes})

        async def listen(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                wait = next((value for name, value in message.get("headers", ()) if name == b"retry-after"), b"")
                if wait.isdigit():
                    notes["retry_after"] = int(wait)
                write(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, listen)
        finally:
            if not answered:
                write(GONE)
