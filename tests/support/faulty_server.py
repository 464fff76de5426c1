"""Servers on 127.0.0.1 that misbehave. A function, the script, answers every request."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request that arrived. ``port`` is the client's port, which is different for each connection."""

    method: str
    path: str
    headers: Message
    port: int = 0


class Exchange(BaseHTTPRequestHandler):
    """A request, with methods to answer it correctly, wrongly or not at all."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def __getattr__(self, name: str) -> Any:
        """Handle every HTTP method the same way."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        self._body: bytes | None = None
        self.server.seen.append(
            ReceivedRequest(method=self.command, path=self.path, headers=self.headers, port=self.client_address[1])
        )
        # In some tests the client disconnects first.
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.server.script(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        """Do not log requests."""

    def read(self) -> bytes:
        """Return the whole body of the request."""
        if self._body is None:
            self._body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return self._body

    def answer(
        self,
        status: int = 200,
        body: bytes | str = b"",
        *,
        kind: str = "text/plain",
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        """Send a valid answer."""
        self.read()
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status, reason)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":  # its answer has no body: a client would take one for the next answer
            self.wfile.write(data)

    def json(self, value: Any, *, kind: str = "application/json") -> None:
        """Answer 200 with JSON."""
        self.answer(200, json.dumps(value), kind=kind)

    def redirect(self, target: str, status: int = 302) -> None:
        """Redirect the client to another address."""
        self.answer(status, headers={"Location": target})

    def raw(self, data: bytes) -> None:
        """Send raw bytes and close the connection."""
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def reset(self) -> None:
        """Read the whole request, then close the connection with RST."""
        self.read()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def hang(self) -> None:
        """Do not answer until the server stops."""
        self.server.closing.wait(30)
        self.close_connection = True

    def drip(self, piece: bytes, *, every: float = 0.02) -> None:
        """Send the same bytes repeatedly until the client disconnects or the server stops."""
        self.close_connection = True
        while not self.server.closing.wait(every):
            self.wfile.write(piece)


Script = Callable[[Exchange], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Do not wait at the end for handlers whose clients stay connected.
    block_on_close = False

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.script = script
        self.seen: list[ReceivedRequest] = []
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not log errors, because broken connections are expected."""


@dataclass(frozen=True, kw_only=True)
class FaultyServer:
    """A running server: its address and the requests that it got."""

    url: str
    seen: list[ReceivedRequest] = field(default_factory=list)

    def paths(self, method: str = "GET") -> list[str]:
        """Return the paths of the requests with an HTTP method."""
        return [each.path for each in self.seen if each.method == method]


@contextlib.contextmanager
def empty_index() -> Iterator[str]:
    """Run an index that answers and has no package. Gives the address of its simple pages."""
    with run_server(lambda exchange: exchange.answer(404)) as server:
        yield f"{server.url}/simple"


@contextlib.contextmanager
def run_server(script: Script) -> Iterator[FaultyServer]:
    """Run a server until the block ends."""
    with _Server(script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield FaultyServer(url=f"http://127.0.0.1:{server.server_port}", seen=server.seen)
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
