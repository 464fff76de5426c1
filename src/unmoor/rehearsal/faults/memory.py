"""The first answer to each read of a round, which a stale server shows again."""

from __future__ import annotations

from collections.abc import MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Scope, Send

_LARGEST = 1 << 20
_MOST = 2_000
Key = tuple[bytes, bytes, bytes]


class Remembered(msgspec.Struct, frozen=True):
    """An answer that a server gave."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def response(self) -> Response:
        """Return it as an answer to give again."""
        made = Response(self.body, self.status)
        made.raw_headers = list(self.headers)
        return made


class Memory:
    """Answers by path, query and what the client accepts. Only the first one of each is kept, up to a size."""

    def __init__(self) -> None:
        self._answers: dict[Key, Remembered] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()

    def recall(self, scope: Scope) -> Remembered | None:
        """Return the first answer to such a request."""
        return self._answers.get(_key(scope))

    def listen(self, scope: Scope, send: Send) -> Send:
        """Return a ``send`` that remembers the answer to a request, if it is the first."""
        key = _key(scope)
        if key in self._answers or len(self._answers) >= _MOST:
            return send
        head: MutableMapping[str, Any] = {}
        body = bytearray()

        async def remember(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            elif head and head["status"] != HTTPStatus.NOT_MODIFIED and len(body) <= _LARGEST:
                body.extend(message.get("body", b""))
                if not message.get("more_body") and len(body) <= _LARGEST:
                    answer = Remembered(head["status"], list(head.get("headers", ())), bytes(body))
                    self._answers.setdefault(key, answer)
            await send(message)

        return remember


def _key(scope: Scope) -> Key:
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope.get("raw_path") or scope["path"].encode(), scope["query_string"], accept
