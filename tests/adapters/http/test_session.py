"""The bounded session against servers that misbehave."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession, mount
from unmoor.errors import Cause, Conflict, Denied, ToolMissing, Unknown
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

SHORT = Bounds(connect=1.0, stall=0.2, total=0.4, limit=1000)
AMPLE = Bounds(connect=5.0, stall=5.0, total=10.0, limit=1000)
LOGIN = Login(username="me", secret=Secret("hunter2"), origin="a test")


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session with bounds that a slow machine keeps."""
    with BoundedSession(AMPLE) as session:
        yield session


@pytest.fixture
def hasty() -> Iterator[BoundedSession]:
    """A session with tight bounds."""
    with BoundedSession(SHORT) as session:
        yield session


def test_answers_of_any_status_are_answers(http: BoundedSession) -> None:
    """An answer of any status is returned, with its reason phrase, headers and body."""
    with run_server(
        lambda x: x.answer(418, b"short", kind="Text/Plain; charset=x", reason="Tea \x1b[31monly")
    ) as fault:
        answer = http.get(f"{fault.url}/pot")
    assert (answer.status, answer.reason, answer.body, answer.content_type) == (418, "Tea only", b"short", "text/plain")
    assert answer.headers["content-LENGTH"] == "5"
    assert fault.seen[0].headers["User-Agent"].startswith("unmoor/")


def slow_head(exchange: Exchange) -> None:
    """Send an endless header, byte by byte."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    exchange.drip(b"x")


def slow_body(exchange: Exchange) -> None:
    """Send an endless body without a length, byte by byte."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    exchange.drip(b"x")


def slow_chunks(exchange: Exchange) -> None:
    """Send an endless chunk length, byte by byte."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.drip(b"0")


def unending_continue(exchange: Exchange) -> None:
    """Send 100 Continue forever."""
    exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n")


def cut_short(exchange: Exchange) -> None:
    """Send less than the announced length."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def huge(exchange: Exchange) -> None:
    """Send without end."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    exchange.drip(b"x" * 100_000, every=0)


def bomb(exchange: Exchange) -> None:
    """Send a small body that decompresses to a large one."""
    exchange.answer(200, gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})


BROKEN = {
    "never answers": (Exchange.hang, "no answer for 0.2 s"),
    "drips its headers": (slow_head, "no complete answer within 0.4 s"),
    "drips its body": (slow_body, "no complete answer within 0.4 s"),
    "drips its chunks": (slow_chunks, "no complete answer within 0.4 s"),
    "continues for ever": (unending_continue, "no complete answer within 0.4 s"),
    "resets": (Exchange.reset, "the connection failed: Connection reset by peer"),
    "sends half": (cut_short, "cut off"),
    "sends no HTTP": (lambda x: x.raw(b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
    "sends too much": (huge, "larger than 1000 bytes"),
    "sends a bomb": (bomb, "larger than 1000 bytes"),
    "sends broken gzip": (lambda x: x.answer(200, b"nope", headers={"Content-Encoding": "gzip"}), "encoding is broken"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_incomplete_answers_are_unknown(name: str, hasty: BoundedSession, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever the server does, the exchange ends in time, with an error that has a clean address and no secret."""
    script, words = BROKEN[name]
    with run_server(script) as fault:
        begun = time.monotonic()
        with pytest.raises(Unknown, match=words) as caught:
            hasty.get(f"{fault.url}/a/page?token=hush", secret_headers={"Authorization": Secret("Bearer hush")})
    assert time.monotonic() - begun < 2
    assert caught.value.where == f"{fault.url}/a/page"
    assert "hush" not in f"{caught.value} {caught.value.next_step} {caught.value.__cause__}"
    assert len(fault.seen) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", BROKEN)
def test_a_library_has_the_same_bounds(name: str) -> None:
    """The adapter gives any session of requests the same bounds and no retries."""
    script, words = BROKEN[name]
    session = requests.Session()
    mount(session, SHORT)
    with session, run_server(script) as fault, pytest.raises(Unknown, match=words):
        session.post(fault.url, data=b"body")
    assert len(fault.seen) == 1


def test_a_library_can_read_the_body() -> None:
    """A library that reads the response gets the body that was read under the watch."""
    session = requests.Session()
    mount(session, SHORT)
    with (
        session,
        run_server(lambda x: x.answer(400, gzip.compress(b"words"), headers={"Content-Encoding": "gzip"})) as on,
    ):
        response = session.post(on.url, data=b"x")
    assert (response.status_code, response.text) == (400, "words")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/", "Connection refused"),
        ("http://no-such-host.invalid/", "the connection failed"),
        ("http://me:hunter2@127.0.0.1:1/", "without credentials"),
        ("ftp://example.invalid/", "not a plain http"),
        ("file:///etc/passwd", "not a plain http"),
        ("http://127.0.0.1\\@example.invalid/", "not a plain http"),
        ("http://127.0.0.1:99999/", "not a plain http"),
        ("http://[::1/", "not a plain http"),
        ("http://127.0.0.1/\n", "not a plain http"),
    ],
)
def test_unusable_addresses_are_unknown(url: str, words: str, http: BoundedSession) -> None:
    """Refused connections and invalid addresses raise an error without credentials in it."""
    with pytest.raises(Unknown, match=words) as caught:
        http.get(url)
    assert "hunter2" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_not_quoted(http: BoundedSession) -> None:
    """The error for a token with a line break says so, and does not contain the token."""
    with pytest.raises(Unknown, match="cannot send a header") as caught:
        http.get("http://127.0.0.1:1/", secret_headers={"Authorization": Secret("Bearer hun\nter2")})
    assert "ter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_unread_body_ends_in_time(http: BoundedSession, tmp_path: Path) -> None:
    """A server that does not read the body cannot block the exchange."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 20_000_000)
    with run_server(Exchange.hang) as fault, pytest.raises(Unknown):
        http.send("POST", fault.url, body=path, deadline=0.5)


@pytest.mark.parametrize("data", [b"", b"some bytes" * 10_000])
def test_a_file_is_sent_with_its_length(data: bytes, http: BoundedSession, tmp_path: Path) -> None:
    """Files are streamed with their length, never chunked, even an empty one."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with run_server(lambda x: x.answer(201, hashlib.sha256(x.read()).hexdigest())) as fault:
        answer = http.send("POST", fault.url, body=path, headers={"Content-Type": "application/zip"}, login=LOGIN)
    assert (answer.status, answer.body.decode()) == (201, hashlib.sha256(data).hexdigest())
    assert fault.seen[0].headers["Content-Length"] == str(len(data))
    assert fault.seen[0].headers["Authorization"].startswith("Basic ")


def test_a_write_follows_no_redirect(http: BoundedSession) -> None:
    """A redirect of a write is returned as the answer, and nothing is sent again."""
    with run_server(lambda x: x.redirect("/elsewhere", 307)) as fault:
        assert http.send("POST", f"{fault.url}/here", body=b"x").status == 307
    assert fault.paths("POST") == ["/here"]


def test_secrets_stay_at_their_origin(http: BoundedSession) -> None:
    """A redirect on the same origin keeps credentials; one to another host drops them, also on the way back."""
    with run_server(lambda x: x.redirect(f"{home.url}/back")) as other:

        def script(exchange: Exchange) -> None:
            if exchange.path == "/start":
                exchange.redirect("/same")
            elif exchange.path == "/same":
                exchange.redirect(f"{other.url}/away")
            else:
                exchange.answer(200, b"done")

        with run_server(script) as home:
            answer = http.get(f"{home.url}/start", secret_headers={"Authorization": Secret("token t")})
    assert (answer.body, answer.url) == (b"done", f"{home.url}/back")
    assert [(each.path, each.headers["Authorization"]) for each in home.seen] == [
        ("/start", "token t"),
        ("/same", "token t"),
        ("/back", None),
    ]
    assert other.seen[0].headers["Authorization"] is None


def test_a_refusal_gives_no_secret_back(http: BoundedSession) -> None:
    """A server may quote what it received. The message of a refusal holds none of it, other answers stay exact."""

    def script(exchange: Exchange) -> None:
        received = f"{exchange.headers['Authorization']} {exchange.headers['X-Token']} hunter2"
        exchange.answer(int(exchange.path[1:]), received, reason=received)

    secrets = {"X-Token": Secret("sesame")}
    with run_server(script) as fault:
        refused = http.get(f"{fault.url}/403", secret_headers=secrets, login=LOGIN)
        sent = http.send("POST", f"{fault.url}/500", secret_headers=secrets, login=LOGIN)
        fine = http.get(f"{fault.url}/200", secret_headers=secrets, login=LOGIN)
    for answer in (refused, sent):
        words = answer.body.decode().split()
        assert words[0] == "Basic"
        assert words[1].endswith("***")
        assert words[2:] == ["***", "***"]
        assert "hunter2" not in answer.reason
        assert "sesame" not in answer.reason
    assert fine.body.endswith(b" sesame hunter2")


@pytest.mark.parametrize(
    ("target", "words"),
    [("/again", "more than 5 redirects"), ("ftp://example.invalid/", "not a plain"), ("http://u:p@h/", "not a plain")],
)
def test_redirects_are_bounded(target: str, words: str, http: BoundedSession) -> None:
    """A redirect loop ends, and invalid targets are not followed."""
    with run_server(lambda x: x.redirect(target)) as fault, pytest.raises(Unknown, match=words):
        http.get(fault.url)
    assert len(fault.seen) <= 6


def test_netrc_is_never_read(http: BoundedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in .netrc are not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stray password stray\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with run_server(Exchange.answer) as fault:
        http.get(fault.url)
        http.send("POST", fault.url)
    assert [each.headers["Authorization"] for each in fault.seen] == [None, None]


def test_cookies_are_forgotten(http: BoundedSession) -> None:
    """No exchange sends a cookie of an earlier one."""
    with run_server(lambda x: x.answer(headers={"Set-Cookie": "a=b; Path=/"})) as fault:
        http.get(fault.url)
        http.get(fault.url)
    assert [each.headers["Cookie"] for each in fault.seen] == [None, None]


def test_no_proxy_for_this_machine(http: BoundedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual proxy variables apply, except for loopback addresses: a rehearsal must work behind a proxy."""
    with (
        run_server(lambda x: x.answer(200, b"proxy")) as proxy,
        run_server(lambda x: x.answer(200, b"direct")) as fault,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert http.get(fault.url).body == b"direct"
        assert http.get("http://example.invalid/x").body == b"proxy"
    assert proxy.paths() == ["http://example.invalid/x"]


def test_a_connection_is_used_again(http: BoundedSession) -> None:
    """A second exchange on a reused connection has the same bounds."""
    ports: list[int] = []

    def script(exchange: Exchange) -> None:
        ports.append(exchange.client_address[1])
        exchange.answer(200, b"x") if len(ports) < 3 else slow_body(exchange)

    with run_server(script) as fault:
        http.get(fault.url)
        http.get(fault.url)
        with pytest.raises(Unknown, match=r"within 0\.3 s"):
            http.get(fault.url, deadline=0.3)
    assert len(set(ports)) == 1


def test_threads_share_a_session(http: BoundedSession) -> None:
    """An exchange that is cut off does not affect others."""
    results: list[str] = []

    def ask(url: str) -> None:
        try:
            results.append(http.get(url, deadline=0.5 if url.endswith("slow") else None).body.decode())
        except Unknown:
            results.append("unknown")

    def script(exchange: Exchange) -> None:
        slow_body(exchange) if exchange.path == "/slow" else exchange.answer(200, b"fine")

    with run_server(script) as fault:
        threads = [threading.Thread(target=ask, args=(f"{fault.url}/{name}",)) for name in ("slow", *"abcdef")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == ["fine"] * 6 + ["unknown"]


DATA = b"some bytes" * 50
SHA = hashlib.sha256(DATA).hexdigest()


def test_a_download_is_whole_and_hashed(http: BoundedSession, tmp_path: Path) -> None:
    """The file has the exact bytes, not decompressed, under the requested name."""
    with run_server(lambda x: x.answer(200, DATA, headers={"Content-Encoding": "gzip"})) as fault:
        file = http.download(f"{fault.url}/any", tmp_path / "new", "a-1.tar.gz", sha256=SHA.upper(), size=len(DATA))
    assert (file.name, file.sha256, file.size, file.path.read_bytes()) == ("a-1.tar.gz", SHA, len(DATA), DATA)
    assert file.path == tmp_path / "new" / "a-1.tar.gz"
    assert file.path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("script", "options", "kind", "words"),
    [
        (lambda x: x.answer(200, b"other"), {"sha256": SHA}, Conflict, SHA),
        (lambda x: x.answer(200, DATA), {"limit": 10}, Unknown, "larger than 10 bytes"),
        (lambda x: x.answer(200, DATA), {"size": 10}, Unknown, "larger than 10 bytes"),
        (lambda x: x.answer(200, DATA), {"size": 999}, Unknown, "500 bytes, expected 999"),
        (cut_short, {}, Unknown, "cut off"),
        (slow_body, {"deadline": 0.3}, Unknown, "within 0.3 s"),
        (lambda x: x.answer(404), {}, Unknown, "answered 404 Not Found"),
        (lambda x: x.answer(403), {}, Denied, "403"),
    ],
)
def test_a_download_that_fails_leaves_nothing(  # noqa: PLR0917 - four of them are a row of the table
    script: Callable[[Exchange], None],
    options: dict[str, str | int],
    kind: type[Exception],
    words: str,
    http: BoundedSession,
    tmp_path: Path,
) -> None:
    """A failed download leaves neither a partial nor a wrong file."""
    with run_server(script) as fault, pytest.raises(kind, match=words):
        http.download(fault.url, tmp_path, "a.whl", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "", "a\nb"])
def test_file_names_are_checked(name: str, http: BoundedSession, tmp_path: Path) -> None:
    """A name that is not a plain file name never becomes a path."""
    with pytest.raises(Unknown, match="not a file name"):
        http.download("http://127.0.0.1:1/", tmp_path, name)


class Dropping:
    """A server that keeps connections open, and drops each at its second request: ``how`` closes it."""

    def __init__(self, how: Callable[[Exchange], None], status: int = 200) -> None:
        self.how, self.status = how, status
        self.ports: list[int] = []

    def __call__(self, exchange: Exchange) -> None:
        """Answer the first request of a connection."""
        port = exchange.client_address[1]
        if port in self.ports:
            self.how(exchange)
        else:
            self.ports.append(port)
            exchange.answer(self.status, b"answer")


def close(exchange: Exchange) -> None:
    """Close the connection without an answer."""
    exchange.read()
    exchange.close_connection = True


def reset(exchange: Exchange) -> None:
    """Close the connection with RST."""
    exchange.reset()


@pytest.mark.parametrize("status", [200, 404, 500, 503])
@pytest.mark.parametrize("how", [close, reset])
def test_a_read_survives_a_dropped_connection(
    http: BoundedSession, how: Callable[[Exchange], None], status: int
) -> None:
    """If a kept connection turns out to be closed, a read is sent once more, on a new one."""
    with run_server(Dropping(how, status)) as server:
        answers = [http.get(server.url).status, http.get(server.url).status, http.send("HEAD", server.url).status]
    assert answers == [status] * 3
    assert len(server.seen) == 5


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("how", [close, reset])
def test_a_write_is_not_repeated(http: BoundedSession, how: Callable[[Exchange], None], method: str) -> None:
    """The server may have acted on it, so the answer is lost."""
    with run_server(Dropping(how)) as server:
        http.get(server.url)
        with pytest.raises(Unknown) as caught:
            http.send(method, server.url)
    assert caught.value.cause is Cause.LOST
    assert [each.method for each in server.seen] == ["GET", method]


def test_a_read_on_a_new_connection_is_not_repeated(http: BoundedSession) -> None:
    """A server that never answers is asked once."""
    with run_server(close) as server, pytest.raises(Unknown) as caught:
        http.get(server.url)
    assert caught.value.cause is Cause.LOST
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_local_server_without_space(http: BoundedSession, method: str) -> None:
    """It runs on this machine, so the full disk is this machine's."""
    with run_server(lambda x: x.answer(507)) as server, pytest.raises(ToolMissing, match="no disk space") as caught:
        http.send(method, server.url)
    assert caught.value.cause is Cause.NO_ROOM
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:9", Cause.UNREACHABLE),
        ("https://127.0.0.1:9", Cause.UNREACHABLE),
        ("http://no-such-host.invalid", Cause.UNREACHABLE),
        ("https://{plain}", Cause.UNREACHABLE),
        ("http://{plain}/close", Cause.LOST),
        ("http://{plain}/hang", Cause.LOST),
        ("http://{plain}/cut", Cause.LOST),
        ("http://{plain}/junk", Cause.LOST),
    ],
)
def test_the_cause_of_an_incomplete_exchange(hasty: BoundedSession, url: str, cause: Cause) -> None:
    """Without a connection the server is unreachable; after that an answer is lost."""

    def script(exchange: Exchange) -> None:
        match exchange.path:
            case "/hang":
                exchange.hang()
            case "/cut":
                exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort")
            case "/junk":
                exchange.raw(b"SSH-2.0-x\r\n")
            case _:
                close(exchange)

    with run_server(script) as server, pytest.raises(Unknown) as caught:
        hasty.get(url.format(plain=server.url.removeprefix("http://")))
    assert caught.value.cause is cause
    assert caught.value.retryable
