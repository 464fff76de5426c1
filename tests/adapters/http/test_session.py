"""The bounded session, against servers that misbehave."""

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
from unmoor.errors import Conflict, Denied, Unknown
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

SHORT = Bounds(connect=1.0, stall=0.2, total=0.4, limit=1000)
AMPLE = Bounds(connect=5.0, stall=5.0, total=10.0, limit=1000)
LOGIN = Login(username="me", secret=Secret("hunter2"), origin="a test")


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session that a slow machine does not disturb."""
    with BoundedSession(AMPLE) as session:
        yield session


@pytest.fixture
def hasty() -> Iterator[BoundedSession]:
    """A session with tight bounds."""
    with BoundedSession(SHORT) as session:
        yield session


def test_answers_of_any_status_are_answers(http: BoundedSession) -> None:
    """Status, the words of the status line, headers and body come back as they are."""
    with run_server(
        lambda x: x.answer(418, b"short", kind="Text/Plain; charset=x", reason="Tea \x1b[31monly")
    ) as fault:
        answer = http.get(f"{fault.url}/pot")
    assert (answer.status, answer.reason, answer.body, answer.kind) == (418, "Tea only", b"short", "text/plain")
    assert answer.headers["content-LENGTH"] == "5"
    assert fault.seen[0].headers["User-Agent"].startswith("unmoor/")


def slow_head(exchange: Exchange) -> None:
    """Drip a header that never ends."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    exchange.drip(b"x")


def slow_body(exchange: Exchange) -> None:
    """Drip a body that never ends, without a length."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    exchange.drip(b"x")


def slow_chunks(exchange: Exchange) -> None:
    """Drip the line that holds a chunk's length."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.drip(b"0")


def unending_continue(exchange: Exchange) -> None:
    """Say 100 Continue for ever."""
    exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n")


def cut_short(exchange: Exchange) -> None:
    """Promise more than is sent."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def huge(exchange: Exchange) -> None:
    """Send without end."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    exchange.drip(b"x" * 100_000, every=0)


def bomb(exchange: Exchange) -> None:
    """Send little that unpacks into much."""
    exchange.answer(200, gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})


BROKEN = {
    "never answers": (Exchange.hang, "no answer for 0.2 s"),
    "drips its headers": (slow_head, "no whole answer within 0.4 s"),
    "drips its body": (slow_body, "no whole answer within 0.4 s"),
    "drips its chunks": (slow_chunks, "no whole answer within 0.4 s"),
    "continues for ever": (unending_continue, "no whole answer within 0.4 s"),
    "resets": (Exchange.reset, "broke off: Connection reset by peer"),
    "sends half": (cut_short, "cut off"),
    "sends no HTTP": (lambda x: x.raw(b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
    "sends too much": (huge, "larger than 1000 bytes"),
    "sends a bomb": (bomb, "larger than 1000 bytes"),
    "sends broken gzip": (lambda x: x.answer(200, b"nope", headers={"Content-Encoding": "gzip"}), "encoding is broken"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_whole_answer_is_unknown(
    name: str, hasty: BoundedSession, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the server does, the exchange ends in time, in our own words, with the address cleaned."""
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
def test_a_library_is_bound_likewise(name: str) -> None:
    """The adapter brings the same bounds to any session of requests, its own retries dropped."""
    script, words = BROKEN[name]
    session = requests.Session()
    mount(session, SHORT)
    with session, run_server(script) as fault, pytest.raises(Unknown, match=words):
        session.post(fault.url, data=b"body")
    assert len(fault.seen) == 1


def test_a_library_reads_its_answer_as_ever() -> None:
    """A body that was read under the watch is there for whoever asks the response for it."""
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
        ("http://no-such-host.invalid/", "broke off"),
        ("http://me:hunter2@127.0.0.1:1/", "without credentials in it"),
        ("ftp://example.invalid/", "not a plain http"),
        ("file:///etc/passwd", "not a plain http"),
        ("http://127.0.0.1\\@example.invalid/", "not a plain http"),
        ("http://127.0.0.1:99999/", "not a plain http"),
        ("http://[::1/", "not a plain http"),
        ("http://127.0.0.1/\n", "not a plain http"),
    ],
)
def test_addresses_that_lead_nowhere_are_unknown(url: str, words: str, http: BoundedSession) -> None:
    """Refused connections and odd addresses end in our own words, without what must not be seen."""
    with pytest.raises(Unknown, match=words) as caught:
        http.get(url)
    assert "hunter2" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_not_quoted(http: BoundedSession) -> None:
    """A token with a line break in it is named as such, and stays unseen."""
    with pytest.raises(Unknown, match="a header cannot be sent") as caught:
        http.get("http://127.0.0.1:1/", secret_headers={"Authorization": Secret("Bearer hun\nter2")})
    assert "ter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_body_that_is_not_taken_ends_in_time(http: BoundedSession, tmp_path: Path) -> None:
    """A server that does not read the body cannot hold us."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 20_000_000)
    with run_server(Exchange.hang) as fault, pytest.raises(Unknown):
        http.send("POST", fault.url, body=path, deadline=0.5)


@pytest.mark.parametrize("data", [b"", b"some bytes" * 10_000])
def test_a_file_is_sent_with_its_length(data: bytes, http: BoundedSession, tmp_path: Path) -> None:
    """Files are streamed, never chunked, the empty one too."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with run_server(lambda x: x.answer(201, hashlib.sha256(x.read()).hexdigest())) as fault:
        answer = http.send("POST", fault.url, body=path, headers={"Content-Type": "application/zip"}, login=LOGIN)
    assert (answer.status, answer.body.decode()) == (201, hashlib.sha256(data).hexdigest())
    assert fault.seen[0].headers["Content-Length"] == str(len(data))
    assert fault.seen[0].headers["Authorization"].startswith("Basic ")


def test_what_is_sent_is_never_redirected(http: BoundedSession) -> None:
    """A redirect of a write is an answer, and nothing is sent again."""
    with run_server(lambda x: x.redirect("/elsewhere", 307)) as fault:
        assert http.send("POST", f"{fault.url}/here", body=b"x").status == 307
    assert fault.paths("POST") == ["/here"]


def test_secrets_stay_at_their_origin(http: BoundedSession) -> None:
    """A redirect on the same origin keeps credentials, one to another host goes without, and so does the way back."""
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


@pytest.mark.parametrize(
    ("target", "words"),
    [("/again", "more than 5 redirects"), ("ftp://example.invalid/", "not a plain"), ("http://u:p@h/", "not a plain")],
)
def test_redirects_are_bounded(target: str, words: str, http: BoundedSession) -> None:
    """A loop ends, and odd targets are not followed."""
    with run_server(lambda x: x.redirect(target)) as fault, pytest.raises(Unknown, match=words):
        http.get(fault.url)
    assert len(fault.seen) <= 6


def test_netrc_is_never_read(http: BoundedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that lie about are not sent to a server that nobody meant them for."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stray password stray\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with run_server(Exchange.answer) as fault:
        http.get(fault.url)
        http.send("POST", fault.url)
    assert [each.headers["Authorization"] for each in fault.seen] == [None, None]


def test_cookies_are_forgotten(http: BoundedSession) -> None:
    """Every exchange stands alone."""
    with run_server(lambda x: x.answer(headers={"Set-Cookie": "a=b; Path=/"})) as fault:
        http.get(fault.url)
        http.get(fault.url)
    assert [each.headers["Cookie"] for each in fault.seen] == [None, None]


def test_this_machine_is_never_asked_through_a_proxy(http: BoundedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies count as requests reads them, but not for loopback: the rehearsal must work behind one."""
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
    """A second exchange on a kept connection is bound like the first."""
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
    """One exchange that is cut off leaves its neighbours alone."""
    said: list[str] = []

    def ask(url: str) -> None:
        try:
            said.append(http.get(url, deadline=0.5 if url.endswith("slow") else None).body.decode())
        except Unknown:
            said.append("unknown")

    def script(exchange: Exchange) -> None:
        slow_body(exchange) if exchange.path == "/slow" else exchange.answer(200, b"fine")

    with run_server(script) as fault:
        threads = [threading.Thread(target=ask, args=(f"{fault.url}/{name}",)) for name in ("slow", *"abcdef")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(said) == ["fine"] * 6 + ["unknown"]


DATA = b"some bytes" * 50
SHA = hashlib.sha256(DATA).hexdigest()


def test_a_download_is_whole_and_hashed(http: BoundedSession, tmp_path: Path) -> None:
    """The bytes are taken as they are, not unpacked, and lie under the name that was asked for."""
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
        (lambda x: x.answer(200, DATA), {"size": 999}, Unknown, "500 bytes and should have 999"),
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
    """Neither a part nor a wrong file stays behind."""
    with run_server(script) as fault, pytest.raises(kind, match=words):
        http.download(fault.url, tmp_path, "a.whl", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "", "a\nb"])
def test_a_name_from_outside_is_checked(name: str, http: BoundedSession, tmp_path: Path) -> None:
    """What is no file name never becomes a path."""
    with pytest.raises(Unknown, match="not a file name"):
        http.download("http://127.0.0.1:1/", tmp_path, name)
