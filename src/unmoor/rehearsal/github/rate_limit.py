"""The rate limit of the local forge: a file ``rate-limit`` in its folder says how many requests it still answers.

Each answer says what is left, and after the last one requests are refused as GitHub refuses them: with a 403, until an
hour after the file was written. Source: "Rate limits for the REST API" in GitHub's documentation.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

FILE: Final = "rate-limit"
LIMIT: Final = 1000
"""What a workflow's token may send in an hour."""
_HOUR: Final = 3600


class RateLimit:
    """A forge that counts requests, as middleware."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._file = folder / FILE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it if there were too many."""
        left = self._left() if scope["type"] == "http" else None
        if left is None:
            await self._app(scope, receive, send)
            return
        names = {"limit": LIMIT, "remaining": max(0, left - 1), "reset": int(time.time()) + _HOUR}
        headers = {f"x-ratelimit-{name}": str(value) for name, value in names.items()}
        if left == 0:
            message = {"message": "API rate limit exceeded for installation ID 1."}
            await JSONResponse(message, HTTPStatus.FORBIDDEN, headers)(scope, receive, send)
            return
        self._file.write_text(str(left - 1), encoding="utf-8", newline="\n")

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _left(self) -> int | None:
        try:
            return int(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return None
