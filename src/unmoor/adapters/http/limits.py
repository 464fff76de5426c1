"""Bounds on an HTTP exchange that `requests` does not have: a total deadline and a size limit.

`requests` knows a connect time-out and a time-out between two reads. A server that drips one byte
a second therefore holds it for ever, while the body is sent, while the headers come, or while the
answer is read. `DeadlineWatch` shuts the socket down when the time is over, in whichever of these it is;
`BoundedAdapter` brings it to any `requests.Session`, twine's too.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from unmoor.adapters.http.urls import may_be_loopback, without_query
from unmoor.errors import Unknown
from unmoor.util.text import clean

_PIECE = 65_536
# Everything that requests, urllib3, http.client and the socket may raise for what the other side did.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)

_watching: ContextVar[DeadlineWatch | None] = ContextVar("unmoor_watch", default=None)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one exchange may take: seconds to connect, between two bytes, and in all; bytes of the answer."""

    connect: float = 10.0
    stall: float = 30.0
    total: float = 60.0
    limit: int = 10_000_000


@dataclass(kw_only=True)
class DeadlineWatch:
    """One exchange's clock. At the end of its time every socket of the exchange is shut down."""

    bounds: Bounds
    expired: bool = False
    _sockets: list[Any] = field(default_factory=list)
    _answers: list[Any] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self.bounds.total, self._end)
        self._timer.daemon = True
        self._timer.start()
        self._token = _watching.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _watching.reset(self._token)
        for answer in self._answers:
            answer.close()
        with self._lock:
            self._sockets.clear()

    def keep(self, response: requests.Response) -> None:
        """Close an answer at the end, however it ends: headers may look whole where the socket was shut down."""
        self._answers.append(response.raw)

    def hold(self, sock: Any) -> None:
        """Take charge of a socket that the exchange uses."""
        if sock is None:
            return
        with self._lock:
            self._sockets.append(sock)
        sock.settimeout(self.bounds.stall)
        if self.expired:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.expired = True
            for sock in self._sockets:
                plain = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
                if isinstance(plain, socket.socket):
                    # The plain method: that of a TLS socket would pull its state away under the reader.
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(plain, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def told(self, url: str) -> Iterator[None]:
        """Turn whatever breaks the exchange, the end of its time first, into `Unknown`."""
        try:
            yield
        except _BROKEN as error:
            # From None: requests' errors hold the request with its headers, and may quote them.
            raise self._unknown(url, error) from None
        if self.expired:
            raise self._unknown(url, None)

    def _unknown(self, url: str, error: BaseException | None) -> Unknown:
        late = f"no whole answer within {self.bounds.total:g} s"
        what = late if self.expired or error is None else _words(error, self.bounds)
        return Unknown(what, where=without_query(url), next_step="look at the network and the server")

    def pieces(self, response: requests.Response, url: str, *, decode: bool) -> Iterator[bytes]:
        """The body in pieces, as it comes. Raises `Unknown` where it breaks off or grows beyond the limit."""
        size = 0
        while True:
            with self.told(url):
                piece = cast("bytes", response.raw.read(_PIECE, decode_content=decode))
            if not piece:
                return
            size += len(piece)
            if size > self.bounds.limit:
                raise Unknown(
                    f"the answer is larger than {self.bounds.limit} bytes",
                    where=without_query(url),
                    next_step="look at what that address serves: this cannot be what was asked for",
                    retryable=False,
                )
            yield piece


_SAID: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.ConnectTimeout,), "no connection within {bounds.connect:g} s"),
    ((requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError), "no answer for {bounds.stall:g} s"),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), "TLS failed: {root}"),
    ((requests.exceptions.ProxyError,), "the proxy failed: {root}"),
    ((requests.exceptions.InvalidHeader,), "a header cannot be sent: is there a line break in the credential?"),
    (
        (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError),
        "the answer's encoding is broken",
    ),
)


def _words(error: BaseException, bounds: Bounds) -> str:
    """Say what broke. Never quotes requests' own text: it holds whole addresses, and headers at times."""
    if "TLS CA certificate bundle" in str(error):
        return "the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names is not there"
    said = next((words for kinds, words in _SAID if isinstance(error, kinds)), "the exchange broke off: {root}")
    return said.format(bounds=bounds, root=_root(error))


def _root(error: BaseException) -> str:
    """The system's own words for the innermost cause, or the name of its type."""
    seen = error
    for _ in range(10):
        held = (getattr(seen, "reason", None), *seen.args, seen.__cause__, seen.__context__)
        inner = next((each for each in held if isinstance(each, BaseException)), None)
        if inner is None or (isinstance(seen, OSError) and seen.strerror):
            break
        seen = inner
    if isinstance(seen, HTTPException | urllib3.exceptions.IncompleteRead):
        return "the answer is not HTTP, or was cut off"
    return clean(str(getattr(seen, "strerror", None) or type(seen).__name__), 120)


def _hold(sock: Any) -> None:
    if sock is not None and (watch := _watching.get()) is not None:
        watch.hold(sock)


class _Plain(HTTPConnection):
    """A connection that hands its socket to the watch of the exchange."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        _hold(sock)
        return sock

    def connect(self) -> None:
        super().connect()
        _hold(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            # urllib3 would send under the connect time-out.
            if (watch := _watching.get()) is not None:
                self.timeout = watch.bounds.stall
            _hold(self.sock)
        super().request(*args, **kwargs)


class _Tls(_Plain, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls: Any = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _Tls


class BoundedAdapter(HTTPAdapter):
    """Mount it on any session: no retries, time-outs, a deadline, a size limit, no proxy to this machine.

    Inside a `DeadlineWatch` it leaves the body to the caller; otherwise it reads it whole, under its own.
    Raises `Unknown` alone.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use the connections that hand over their sockets."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Use them through a proxy, too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager

    def send(  # noqa: PLR0917 - the signature is requests'
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,  # noqa: ARG002 - ours count
        verify: Any = True,  # noqa: FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Do one exchange."""
        url = str(request.url)
        outer = _watching.get()
        proxies = {} if may_be_loopback(url) else dict(proxies or {})
        with contextlib.nullcontext(outer) if outer else DeadlineWatch(bounds=self.bounds) as watch:
            pair = (watch.bounds.connect, watch.bounds.stall)
            with watch.told(url):
                response = super().send(request, stream=True, timeout=pair, verify=verify, cert=cert, proxies=proxies)
                watch.keep(response)
            if outer is None or not stream:
                response.raw = io.BytesIO(b"".join(watch.pieces(response, url, decode=True)))
            return response
