"""Faults that tests request of a running server: files in its folder ``faults``, each named by what happens.

A fault applies to requests whose ``METHOD PATH`` contains the text of its file; to all if that is empty. A number after
the text is how many of those requests pass first: each that does makes it smaller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import PlainTextResponse, StreamingResponse

from unmoor.rehearsal.shared.http import CUT

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

_DRIP = 0.2
PAUSE = "1"
"""What a busy server asks for, in seconds."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of one server, in a folder; those in ``once`` happen once."""

    folder: Path
    once: Collection[str]

    def applies(self, fault: str, request: str) -> bool:
        """Whether a fault applies to a request, ``METHOD PATH``. This uses up a fault that happens once."""
        file = self.folder / fault
        try:
            words = file.read_text("utf-8").split()
        except FileNotFoundError:
            return False
        passing = int(words.pop()) if words and words[-1].isdecimal() else 0
        text = " ".join(words)
        if text not in request:
            return False
        if passing:
            file.write_text(f"{text} {passing - 1}", "utf-8")
            return False
        if fault in self.once:
            file.unlink()
        return True


class Failure(StrEnum):
    """What a server of `Failing` does instead of its work, by the name of the control file."""

    BUSY = "busy"  # once: 429, retry after a second
    LOST_REPLY = "lost-reply"  # once: the work is done, but the connection is closed instead of an answer
    DOWN = "down"  # 503
    SILENT = "silent"  # no answer for as long as the client waits
    GARBAGE = "garbage"  # 200, and a page that is no answer
    BROKEN = "broken"  # 500
    DRIP = "drip"  # an answer that comes a byte at a time, for as long as the client waits


class Failing:
    """A server that fails as the files in ``folder/faults`` say."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._faults = Faults(folder=folder / "faults", once=(Failure.BUSY, Failure.LOST_REPLY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail."""
        app = self._app if scope["type"] != "http" else self._chosen(scope)
        await app(scope, receive, send)

    def _chosen(self, scope: Scope) -> ASGIApp:
        request = f"{scope['method']} {scope['path']}"
        due = (each for each in Failure if self._faults.applies(each, request))
        match next(due, None):
            case None:
                return self._app
            case Failure.LOST_REPLY:
                return self._losing
            case failure:
                return _answer(failure)

    async def _losing(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def cut(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (CUT.encode(), b"close")]
            await send(message)

        await self._app(scope, receive, cut)


def _answer(failure: Failure) -> ASGIApp:
    """What a failing server answers without doing its work."""
    match failure:
        case Failure.BUSY:
            return PlainTextResponse("busy\n", HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": PAUSE})
        case Failure.DOWN:
            return PlainTextResponse("no healthy upstream\n", HTTPStatus.SERVICE_UNAVAILABLE)
        case Failure.GARBAGE:
            return PlainTextResponse("<html><title>Welcome</title></html>\n", media_type="text/html")
        case Failure.BROKEN:
            return PlainTextResponse("internal error\n", HTTPStatus.INTERNAL_SERVER_ERROR)
        case Failure.DRIP:
            return StreamingResponse(_drops(), media_type="application/json")
        case _:
            return _silent


async def _drops() -> AsyncIterator[bytes]:
    """Bytes, one at a time, with so little between them that no time-out of a read ends it."""
    while True:
        yield b" "
        await asyncio.sleep(_DRIP)


async def _silent(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Wait until the client gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass
