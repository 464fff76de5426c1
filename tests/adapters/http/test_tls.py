"""The bounds over TLS, and which certificate authorities are trusted."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Unknown

SHORT = Bounds(connect=1.0, stall=0.5, total=0.6)
Talk = Callable[[ssl.SSLSocket, threading.Event], None]


def proper(tls: ssl.SSLSocket, _closing: threading.Event) -> None:
    """Answer."""
    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")


def dripping(tls: ssl.SSLSocket, closing: threading.Event) -> None:
    """Send an endless answer."""
    tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not closing.wait(0.02):
        tls.sendall(b"x")


def silent(_tls: ssl.SSLSocket, closing: threading.Event) -> None:
    """Never answer."""
    closing.wait(10)


@contextmanager
def tls_server(authority: trustme.CA, talk: Talk) -> Iterator[str]:
    """Serve one connection on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    closing = threading.Event()

    def serve() -> None:
        # A client that does not trust us, or that was cut off, breaks the connection: both are meant.
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection, context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(65536)
                talk(tls, closing)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            closing.set()
            thread.join(10)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority for tests."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The same, trusted through the variable that requests reads."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    return authority


def test_a_bundle_from_the_environment_counts(trusted: trustme.CA) -> None:
    """An authority in REQUESTS_CA_BUNDLE is trusted, as requests does."""
    with tls_server(trusted, proper) as url, BoundedSession() as http:
        assert http.get(url).body == b"fine"


@pytest.mark.parametrize(("talk", "words"), [(dripping, r"within 0\.6 s"), (silent, r"no answer for 0\.5 s")])
def test_the_bounds_hold_over_tls(talk: Talk, words: str, trusted: trustme.CA) -> None:
    """The socket below TLS is shut down at the deadline."""
    with tls_server(trusted, talk) as url, BoundedSession(SHORT) as http, pytest.raises(Unknown, match=words):
        http.get(url)


def test_a_stranger_is_not_trusted(authority: trustme.CA) -> None:
    """An unknown authority is rejected, with OpenSSL's own short reason."""
    words = r"TLS failed: .*certificate"
    with tls_server(authority, proper) as url, BoundedSession() as http, pytest.raises(Unknown, match=words) as caught:
        http.get(url)
    assert len(caught.value.what) < 200


def test_a_server_without_tls() -> None:
    """Plain text on a TLS address is a failure of TLS, not an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with BoundedSession() as http, pytest.raises(Unknown, match="TLS failed"):
            http.get(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(10)


def test_a_missing_bundle_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path in the variable does not end in a traceback."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with BoundedSession() as http, pytest.raises(Unknown, match="REQUESTS_CA_BUNDLE"):
        http.get("https://127.0.0.1:1/")
