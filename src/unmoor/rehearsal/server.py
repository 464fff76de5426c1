"""uvicorn for the local world: several sockets, reason phrases, and a stop without delay.

Uses uvicorn's internals, so pyproject.toml excludes its next major version: `Server.main_loop`, `on_tick`, `shutdown`,
`should_exit` and `server_state` here, and `H11Protocol.conn` in `shared.http`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from unmoor.rehearsal.shared.http import HEAD_LIMIT, ReasonProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TICK = 0.1


class Server(uvicorn.Server):
    """A server that stops at once; uvicorn itself checks ten times a second, and then waits a tenth of a second."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http=ReasonProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=HEAD_LIMIT,
        )
        super().__init__(config)
        self.stop_requested = asyncio.Event()

    async def main_loop(self) -> None:
        """Tick until a stop is requested; the ticks keep the ``Date`` header right."""
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop_requested.wait(), TICK)
                self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for active requests, at most a second; do not wait if there are none."""
        if self.server_state.tasks:
            await super().shutdown(sockets)
