"""A small HTTP client for the registry behind the proxy: over its socket, streaming both ways.

Each request has its own connection, which takes a tenth of a millisecond on a local socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import h11
import msgspec

from unmoor.adapters.process.sockets import open_file_connection

PIECE = 256 << 10
HEAD_LIMIT = 64 << 10

Headers = list[tuple[bytes, bytes]]


async def nothing() -> AsyncIterator[bytes]:
    """An empty body."""
    yield b""


@dataclass
class Answer:
    """The status and headers of an answer; its body is read in pieces."""

    status: int
    headers: Headers
    _connection: h11.Connection = field(repr=False)
    _reader: asyncio.StreamReader = field(repr=False)

    def header(self, name: bytes) -> str:
        """Return one header; empty if it is missing. ``name`` is in lower case."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body. Raises ``OSError`` if the connection breaks."""
        while not isinstance(event := await _event(self._connection, self._reader), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                yield bytes(event.data)


class Upstream(msgspec.Struct, frozen=True):
    """The registry; ``socket`` is the path of its socket."""

    socket: str

    @contextlib.asynccontextmanager
    async def ask(
        self, method: str, target: bytes, headers: Headers, body: AsyncIterator[bytes]
    ) -> AsyncIterator[Answer]:
        """Send a request, streaming its body. Raises ``OSError`` if the registry is unreachable or disconnects.

        An exception of ``body`` ends the request, and is raised here.
        """
        reader, writer = await open_file_connection(self.socket, limit=PIECE)
        connection = h11.Connection(h11.CLIENT, HEAD_LIMIT)
        head = h11.Request(method=method, target=target, headers=headers)
        answer = asyncio.create_task(_event(connection, reader))
        pump = asyncio.create_task(_pump(connection, writer, head, body, answer))
        try:
            # The answer needs the whole body, but an exception in the body must not wait for an answer.
            await asyncio.wait({pump, answer}, return_when=asyncio.FIRST_EXCEPTION)
            if pump.done():
                pump.result()
            response = await answer
            await pump
            if not isinstance(response, h11.Response):
                raise ConnectionError("the registry gave no answer")
            yield Answer(response.status_code, list(response.headers), connection, reader)
        finally:
            for task in (pump, answer):
                task.cancel()
            await asyncio.gather(pump, answer, return_exceptions=True)
            writer.transport.abort()


async def _pump(
    connection: h11.Connection,
    writer: asyncio.StreamWriter,
    head: h11.Request,
    body: AsyncIterator[bytes],
    answered: asyncio.Task[h11.Event],
) -> None:
    """Send head and body. After an early answer, discard the rest of the body: the registry would block."""
    listens = True
    writer.write(connection.send(head) or b"")
    async for piece in body:
        if listens and piece and not answered.done():
            writer.write(connection.send(h11.Data(data=piece)) or b"")
            listens = await _sent(writer, answered)
    if listens and not answered.done():
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await _sent(writer, answered)


async def _sent(writer: asyncio.StreamWriter, answered: asyncio.Task[h11.Event]) -> bool:
    """Wait until there is room to send more, or an answer. Return whether the registry still accepts data."""
    drain = asyncio.create_task(writer.drain())
    await asyncio.wait({drain, answered}, return_when=asyncio.FIRST_COMPLETED)
    if not drain.done():
        drain.cancel()
    (ended,) = await asyncio.gather(drain, return_exceptions=True)
    return ended is None


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Event:
    """Return the next event from the registry. Raises ``ConnectionError``."""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise ConnectionError(str(error)) from None
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(PIECE))
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionError("the registry closed the connection")
        elif isinstance(event, h11.Event) and not isinstance(event, h11.InformationalResponse):
            return event
        elif not isinstance(event, h11.InformationalResponse):
            raise ConnectionError("the registry sent more than one answer")
