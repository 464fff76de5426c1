"""A server of the local world that runs in a thread of the tests."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unmoor.rehearsal.server import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@contextmanager
def serve_in_thread(make: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve what ``make`` returns for an address on a free port, and yield the address. Nothing stays open."""
    # With the protocol named, asyncio turns Nagle's algorithm off: else an answer may wait for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(make(address))
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        await server.serve(sockets=[listener])
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)  # each of them is told in a turn of its own

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(server.stop_requested.set)
        thread.join(10)
        loop.close()
        listener.close()
