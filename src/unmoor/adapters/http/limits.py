"""Bounds on an HTTP exchange that `requests` does not have: a total deadline and a size limit.

`requests` has a time-out for connecting and one between two reads. A server that takes or sends one byte a second
therefore blocks it forever, while it sends the body, waits for the headers or reads the answer. `DeadlineWatch`
shuts the socket down at the deadline, whatever the exchange is doing. `BoundedAdapter` adds it to any
`requests.Session`, including twine's.
"""

from __future__ import annotations

import contextlib
import io
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self, cast

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from unmoor import advice
from unmoor.adapters.http.urls import may_be_loopback, without_query
from unmoor.errors import Cause, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.text import clean
from unmoor.util.values import replace

_CHUNK = 65_536
# Everything that requests, urllib3, http.client and the socket may raise if the server or the network fails.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)

_current_watch: ContextVar[DeadlineWatch | None] = ContextVar("unmoor_watch", default=None)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one exchange: seconds to connect, between two reads and in total; bytes of the answer.

    ``patience`` is that of the world: no time is longer, whatever a caller asks for.
    """

    connect: float = 10.0
    stall: float = 30.0
    total: float = 60.0
    limit: int = 10_000_000
    patience: float = math.inf

    def within_patience(self) -> Bounds:
        """The same, with no time longer than the patience."""
        most = self.patience
        return replace(self, connect=min(self.connect, most), stall=min(self.stall, most), total=min(self.total, most))


@dataclass(kw_only=True)
class DeadlineWatch:
    """The deadline of one exchange. When it passes, every socket of the exchange is shut down.

    ``bounds`` are those that hold, within the patience. ``reused`` says whether the exchange began on a connection that
    was kept open, ``fresh`` that it must not.
    """

    bounds: Bounds
    expired: bool = False
    reused: bool = False
    fresh: bool = False
    _sockets: list[Any] = field(default_factory=list)
    _answers: list[Any] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.bounds = self.bounds.within_patience()

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self.bounds.total, self._expire)
        self._timer.daemon = True
        self._timer.start()
        self._token = _current_watch.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _current_watch.reset(self._token)
        for answer in self._answers:
            answer.close()
        with self._lock:
            self._sockets.clear()

    def close_later(self, response: requests.Response) -> None:
        """Close an answer when the exchange ends. Headers may look complete although the socket was shut down."""
        self._answers.append(response.raw)

    def add_socket(self, sock: Any) -> None:
        """Watch a socket that the exchange uses."""
        if sock is None:
            return
        with self._lock:
            self._sockets.append(sock)
        sock.settimeout(self.bounds.stall)
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for sock in self._sockets:
                plain = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
                if isinstance(plain, socket.socket):
                    # Not the method of a TLS socket: it would remove the TLS state while another thread reads.
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(plain, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def translate_errors(self, url: str) -> Iterator[None]:
        """Raise `Unknown` for everything that breaks the exchange, and if the deadline has passed."""
        try:
            yield
        except _BROKEN as error:
            # From None: errors of requests contain the request with its headers, and may quote them.
            raise self._unknown(url, error) from None
        if self.expired:
            raise self._unknown(url, None)

    def _unknown(self, url: str, error: BaseException | None) -> UnmoorError:
        where = without_query(url)
        if self.expired or error is None:
            return failure(Cause.LOST, f"no complete answer within {self.bounds.total:g} s", where=where)
        cause = Cause.UNREACHABLE if _is_unreachable(error) else Cause.LOST
        return failure(cause, _describe(error, self.bounds), where=where)

    def read_chunks(self, response: requests.Response, url: str, *, decode: bool) -> Iterator[bytes]:
        """Yield the body in chunks. Raises `Unknown` if it breaks off or exceeds the size limit."""
        size = 0
        while True:
            with self.translate_errors(url):
                chunk = cast("bytes", response.raw.read(_CHUNK, decode_content=decode))
            if not chunk:
                return
            size += len(chunk)
            if size > self.bounds.limit:
                raise failure(
                    Cause.NONSENSE,
                    f"the answer is larger than {self.bounds.limit} bytes",
                    where=without_query(url),
                    next_step=advice.CHECK_WHAT_IS_SERVED(),
                    retryable=False,
                )
            yield chunk


_DESCRIPTIONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.ConnectTimeout,), "no connection within {bounds.connect:g} s"),
    ((requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError), "no answer for {bounds.stall:g} s"),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), "TLS failed: {root}"),
    ((requests.exceptions.ProxyError,), "the proxy failed: {root}"),
    ((requests.exceptions.InvalidHeader,), "cannot send a header: is there a line break in the credential?"),
    (
        (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError),
        "the answer's encoding is broken",
    ),
)


# There was no connection, so the server never saw the request.
_UNREACHABLE = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)


def _is_unreachable(error: BaseException) -> bool:
    """Whether an exchange failed because there was no connection, by the types of the error and its causes."""
    return any(isinstance(each, _UNREACHABLE) for each in _chain(error))


def _describe(error: BaseException, bounds: Bounds) -> str:
    """Say what failed. Never quotes the text of requests, which contains full addresses and sometimes headers."""
    if "TLS CA certificate bundle" in str(error):
        return "the file in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE does not exist"
    text = next((text for kinds, text in _DESCRIPTIONS if isinstance(error, kinds)), "the connection failed: {root}")
    return text.format(bounds=bounds, root=_root(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, up to the first one of the operating system."""
    current: BaseException | None = error
    for _ in range(10):
        if current is None:
            return
        yield current
        if isinstance(current, OSError) and current.strerror:
            return
        causes = (getattr(current, "reason", None), *current.args, current.__cause__, current.__context__)
        current = next((each for each in causes if isinstance(each, BaseException)), None)


def _root(error: BaseException) -> str:
    """The operating system's message for the innermost cause, or the name of its type."""
    current = list(_chain(error))[-1]
    if isinstance(current, HTTPException | urllib3.exceptions.IncompleteRead):
        return "the answer is not HTTP, or was cut off"
    return clean(str(getattr(current, "strerror", None) or type(current).__name__), 120)


def _watch_socket(sock: Any) -> None:
    if sock is not None and (watch := _current_watch.get()) is not None:
        watch.add_socket(sock)


class _WatchedConnection(HTTPConnection):
    """A connection that adds its socket to the watch of the exchange."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        _watch_socket(sock)
        return sock

    def connect(self) -> None:
        super().connect()
        _watch_socket(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            # Otherwise urllib3 sends with the connect time-out.
            if (watch := _current_watch.get()) is not None:
                self.timeout = watch.bounds.stall
                watch.reused = True
            _watch_socket(self.sock)
        super().request(*args, **kwargs)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    """The same for TLS."""


class _FreshPool(HTTPConnectionPool):
    """A pool that reopens a kept connection if the exchange needs a fresh one."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if (watch := _current_watch.get()) is not None and watch.fresh:
            connection.close()
        return connection


class _WatchedPool(_FreshPool):
    ConnectionCls: Any = _WatchedConnection


class _WatchedTlsPool(_FreshPool, HTTPSConnectionPool):
    ConnectionCls: Any = _WatchedTlsConnection


class BoundedAdapter(HTTPAdapter):
    """Adapter for any session: time-outs, a deadline and a size limit, no proxy for this machine.

    Repeats nothing except a read whose connection was kept open and turns out to be closed: once, on a new one.
    Inside a `DeadlineWatch` the caller reads a streamed body; otherwise the adapter reads the complete body under its
    own watch. Raises only `Unknown`, and `ToolMissing` if a server on this machine has no disk space left.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Use watched connections through a proxy, too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}
        return manager

    def send(  # noqa: PLR0917 - the signature is requests'
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,  # noqa: ARG002 - the bounds replace it
        verify: Any = True,  # noqa: FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Do one exchange."""
        url = str(request.url)
        outer = _current_watch.get()
        proxies = {} if may_be_loopback(url) else dict(proxies or {})
        with contextlib.nullcontext(outer) if outer else DeadlineWatch(bounds=self.bounds) as watch:
            pair = (watch.bounds.connect, watch.bounds.stall)
            with watch.translate_errors(url):
                options: dict[str, Any] = {"timeout": pair, "verify": verify, "cert": cert, "proxies": proxies}
                response = self._send(request, watch, options)
                watch.close_later(response)
            if response.status_code == HTTPStatus.INSUFFICIENT_STORAGE and may_be_loopback(url):
                # The servers of a local world are on this machine.
                raise failure(
                    Cause.NO_ROOM, "no disk space is left where this local server writes", where=without_query(url)
                )
            if outer is None or not stream:
                response.raw = io.BytesIO(b"".join(watch.read_chunks(response, url, decode=True)))
            return response

    def _send(
        self, request: requests.PreparedRequest, watch: DeadlineWatch, options: dict[str, Any]
    ) -> requests.Response:
        """Send once, or twice if a server dropped the connection that it had kept open, which is no fault of it.

        Only a read: RFC 9110, section 9.2.2, and a server may have acted on anything else before it closed.
        """
        watch.reused = False
        try:
            return super().send(request, stream=True, **options)
        except requests.ConnectionError:
            if not watch.reused or watch.expired or request.method not in {"GET", "HEAD"}:
                raise
        watch.fresh = True
        try:
            return super().send(request, stream=True, **options)
        finally:
            watch.fresh = False
