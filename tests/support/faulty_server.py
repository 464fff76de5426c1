"""Servers that misbehave on purpose: one function decides what every request gets. On 127.0.0.1, port 0."""

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
    """A request as it arrived; ``port`` is the client's, and tells its connections apart."""

    method: str
    path: str
    headers: Message
    port: int = 0


class Exchange(BaseHTTPRequestHandler):
    """One request, and the ways to answer it or not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def __getattr__(self, name: str) -> Any:
        """Handle every method alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        self._body: bytes | None = None
        self.server.seen.append(
            ReceivedRequest(method=self.command, path=self.path, headers=self.headers, port=self.client_address[1])
        )
        # The client may well be gone: that is what some tests are about.
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.server.script(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        """Say nothing."""

    def read(self) -> bytes:
        """The whole body of the request."""
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
        """Answer properly."""
        self.read()
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status, reason)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def json(self, value: Any, *, kind: str = "application/json") -> None:
        """Answer 200 with JSON."""
        self.answer(200, json.dumps(value), kind=kind)

    def redirect(self, target: str, status: int = 302) -> None:
        """Send the client elsewhere."""
        self.answer(status, headers={"Location": target})

    def raw(self, data: bytes) -> None:
        """Put bytes on the wire, whatever they are, and close."""
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def reset(self) -> None:
        """Break the connection off with RST, the request taken whole."""
        self.read()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def hang(self) -> None:
        """Never answer, until the server closes."""
        self.server.closing.wait(30)
        self.close_connection = True

    def drip(self, piece: bytes, *, every: float = 0.02) -> None:
        """Send a piece again and again until the client or the server goes."""
        self.close_connection = True
        while not self.server.closing.wait(every):
            self.wfile.write(piece)


Script = Callable[[Exchange], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Not joined at close: a handler whose client hangs on would be waited for.
    block_on_close = False

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.script = script
        self.seen: list[ReceivedRequest] = []
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: broken connections are the point."""


@dataclass(frozen=True, kw_only=True)
class FaultyServer:
    """A running server: where it is, and what it was asked."""

    url: str
    seen: list[ReceivedRequest] = field(default_factory=list)

    def paths(self, method: str = "GET") -> list[str]:
        """The paths that were asked for with one method."""
        return [each.path for each in self.seen if each.method == method]


@contextlib.contextmanager
def run_server(script: Script) -> Iterator[FaultyServer]:
    """Run a server for as long as the block lasts."""
    with _Server(script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield FaultyServer(url=f"http://127.0.0.1:{server.server_port}", seen=server.seen)
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
