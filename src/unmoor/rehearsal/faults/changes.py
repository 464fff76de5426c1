"""What happens to a request or an answer on its way: half a body read, an answer cut, damaged, slow or with lies.

Each returns a ``receive`` or a ``send`` in place of the server's own. Only digests and names are changed in a body that
was kept whole, up to a size.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from unmoor.rehearsal.faults.routes import kind_of
from unmoor.rehearsal.shared.http import CUT
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Message: TypeAlias = MutableMapping[str, Any]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_LARGEST = 8 << 20
_PIECES = 8
_PAUSE = 0.05
_SHORT = 2
_HEX = re.compile(rb"(sha256[^0-9A-Za-z]{1,6})([0-9a-f]{64})(?![0-9a-f])")
_DIGEST_HEADERS = frozenset({b"docker-content-digest", b"etag"})


def half_read(scope: Scope, receive: Receive) -> Receive:
    """Give the server half of the body, then a client that is gone."""
    length = int(_header(scope["headers"], b"content-length") or b"0")
    left, ended = max(1, length // 2), False

    async def read() -> Message:
        nonlocal left, ended
        if ended:
            return {"type": "http.disconnect"}
        message: Message = await receive()
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        allowed = left if length else max(1, len(body) // 2)
        if len(body) < allowed and message.get("more_body"):
            left -= len(body)
            return message
        ended = True
        return {"type": "http.request", "body": body[: min(allowed, len(body) - 1)], "more_body": True}

    return read


def truncated(send: Send) -> Send:
    """Send half of a body, then close the connection; at once if there is nothing to halve."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Headers = list(message.get("headers", ()))
            length = int(_header(headers, b"content-length") or b"0")
            value = str(length // 2).encode() if length >= _SHORT else b"close"
            message = {**message, "headers": [*headers, (CUT.encode(), value)]}
        await send(message)

    return cut


def malformed(send: Send) -> Send:
    """Replace the second half of a body by bytes that are no UTF-8."""
    return _in_place(
        send, lambda half, at, piece: piece[: max(0, half - at)] + b"\xff" * (at + len(piece) - max(half, at))
    )


def damaged(send: Send) -> Send:
    """Change the byte in the middle of a body."""

    def change(half: int, at: int, piece: bytes) -> bytes:
        if not at <= half < at + len(piece):
            return piece
        changed = bytearray(piece)
        changed[half - at] ^= 1
        return bytes(changed)

    return _in_place(send, change)


def _in_place(send: Send, change: Callable[[int, int, bytes], bytes]) -> Send:
    """Change bytes of a body that keeps its length: ``change`` gets half of that, and each piece with its place."""
    half, at = -1, 0

    async def changed(message: Message) -> None:
        nonlocal half, at
        if message["type"] == "http.response.start":
            length = _header(message.get("headers", ()), b"content-length")
            half = int(length) // 2 if length else -1
        elif body := message.get("body", b""):
            half = len(body) // 2 if half < 0 else half
            message = {**message, "body": change(half, at, body)}
            at += len(body)
        await send(message)

    return changed


def slow_body(send: Send) -> Send:
    """Send the first piece of a body in parts with pauses."""
    slowed = False

    async def slow(message: Message) -> None:
        nonlocal slowed
        body = message.get("body", b"")
        if slowed or len(body) < _SHORT:
            await send(message)
            return
        slowed = True
        size = -(-len(body) // _PIECES)
        for start in range(0, len(body), size):
            more = start + size < len(body) or message.get("more_body", False)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": more})
            await asyncio.sleep(_PAUSE)

    return slow


def wrong_digest(service: str, send: Send) -> Send:
    """Change digests in headers and, except in a registry's documents, in the body."""
    if kind_of(service) == "registry":
        return _rewritten(send, _lying_headers, lambda body: body)
    return _rewritten(send, _lying_headers, lambda body: _HEX.sub(lambda found: found[1] + _other(found[2]), body))


def _lying_headers(headers: Headers) -> Headers:
    return [(name, _other(value) if name in _DIGEST_HEADERS else value) for name, value in headers]


def _other(text: bytes) -> bytes:
    """Change the last hexadecimal digit."""
    body = text.rstrip(b'"')
    end = b"1" if body.endswith(b"0") else b"0"
    return body[:-1] + end + text[len(body) :]


def renamed_asset(send: Send) -> Send:
    """Give the asset in an answer another name."""

    def rename(body: bytes) -> bytes:
        try:
            asset = decode_json(body, dict[str, Any])
        except ValueError:
            return body
        return msgspec.json.encode({**asset, "name": f"renamed-{asset['name']}"}) if "name" in asset else body

    return _rewritten(send, lambda headers: headers, rename)


def _rewritten(send: Send, headers: Callable[[Headers], Headers], body: Callable[[bytes], bytes]) -> Send:
    """Hold an answer until its body is whole, and send it changed. A body over a size only has other headers."""
    head: Message = {}
    held = bytearray()

    async def rewrite(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update({**message, "headers": headers(list(message.get("headers", ())))})
            return
        if not head:
            await send(message)
            return
        held.extend(message.get("body", b""))
        more = message.get("more_body", False)
        if more and len(held) <= _LARGEST:
            return
        new = bytes(held) if more else body(bytes(held))
        start, kept = dict(head), list(head["headers"])
        head.clear()
        if len(new) != len(held):
            kept = [(n, v) for n, v in kept if n != b"content-length"] + [(b"content-length", b"%d" % len(new))]
        await send({**start, "headers": kept})
        await send({"type": "http.response.body", "body": new, "more_body": more})

    return rewrite


def spoiled(scope: Scope) -> Scope:
    """Return a request whose credentials the server takes for expired ones; none stay none."""
    headers = [(name, _expired(value) if name == b"authorization" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _expired(value: bytes) -> bytes:
    scheme = value.partition(b" ")[0]
    return b"Basic X190b2tlbl9fOmV4cGlyZWQ=" if scheme.lower() == b"basic" else scheme + b" expired"


def _header(headers: Any, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key.lower() == name), None)
