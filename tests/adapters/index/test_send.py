"""An upload in one try: what each answer of the index means, and what is never sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.faulty_index import (
    BOUNDS,
    FaultyIndex,
    build_dists,
    index_place,
    run_index,
    run_script,
    uploaded_file,
)
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.index.answers import error_message
from unmoor.artifacts.files import describe_file
from unmoor.errors import Conflict, Denied, InvalidDist
from unmoor.ports.index import Busy, Lost, Refusal, Sending, Sent
from unmoor.ports.world import Login
from unmoor.products import File
from unmoor.util.secret import Secret
from unmoor.util.values import replace


def test_the_bytes_arrive_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One request sends the file with its digest and the credential, and prints nothing."""
    file = build_dists(tmp_path)[0]
    with run_index() as running:
        assert running.index.send(file) == Sent()
    assert running.served.files == {file.name: file.path.read_bytes()}
    assert running.served.sent == [file.name]
    assert running.server.seen[0].headers["Authorization"].startswith("Basic ")
    assert capfd.readouterr() == ("", "")


def no(status: int, body: str = "", **options: Any) -> Callable[[Exchange], None]:
    """A fixed answer."""
    return lambda x: x.answer(status, body, **options)


ANSWERS: dict[str, tuple[Callable[[Exchange], None], Sending]] = {
    "200": (no(200), Sent()),
    "201": (no(201), Sent()),
    "400 in the status line": (
        no(400, "x", reason="File already exists"),
        Refusal(status=400, reason="File already exists"),
    ),
    "400 in the body": (no(400, "The \x1b[1mname\x1b[0m\nis taken"), Refusal(status=400, reason="The name is taken")),
    "400 in HTML": (
        no(400, "<title>400</title><script>x</script><h1>Bad</h1> file &amp; name", kind="text/html"),
        Refusal(status=400, reason="Bad file & name"),
    ),
    "409 in JSON": (
        no(409, '{"message": "conflict"}', kind="application/json"),
        Refusal(status=409, reason="conflict"),
    ),
    "404": (no(404), Refusal(status=404, reason="Not Found")),
    "413": (no(413, "", reason="Request Entity Too Large"), Refusal(status=413, reason="Request Entity Too Large")),
    "429": (no(429, "slow"), Busy(wait=0, reason="slow")),
    "429 in seconds": (no(429, "slow", headers={"Retry-After": "7"}), Busy(wait=7, reason="slow")),
    "429 of a quota": (
        no(429, "", reason="Too many new projects created", headers={"Ratelimit": '"create";r=0;t=86400'}),
        Busy(wait=86400, reason="Too many new projects created"),
    ),
    "503 that asks": (no(503, "soon", headers={"Retry-After": "3"}), Busy(wait=3, reason="soon")),
    "503": (no(503, "down"), Lost(reason="503 down")),
    "500": (no(500, "oops"), Lost(reason="500 oops")),
    "reset": (Exchange.reset, Lost(reason="the connection failed: Connection reset by peer")),
    "not HTTP": (
        lambda x: x.raw(b"hello\r\n"),
        Lost(reason="the connection failed: the answer is not HTTP, or was cut off"),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each answer has one of four meanings, with the index's cleaned reason; nothing is sent twice or printed."""
    script, expected = ANSWERS[name]
    with run_script(script) as (index, server):
        assert index.send(build_dists(tmp_path)[0]) == expected
    assert len(server.seen) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused(status: int, tmp_path: Path) -> None:
    """The credential never follows a redirect."""
    with (
        run_server(no(200)) as other,
        run_script(lambda x: x.redirect(f"{other.url}/?token=1", status)) as (index, server),
    ):
        answer = index.send(build_dists(tmp_path)[0])
    words = f"it redirects to {other.url}/: is {server.url}/legacy/ the upload address, with a slash at the end?"
    assert answer == Refusal(status=status, reason=words)
    assert (len(server.seen), other.seen) == (1, [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_denied(status: int, tmp_path: Path) -> None:
    """The error has the index's reason and the credential's origin, but not the credential."""
    script = no(status, "", reason="Invalid API Token")
    words = r"a test's token.*Invalid API Token"
    with run_script(script) as (index, server), pytest.raises(Denied, match=words) as caught:
        index.send(build_dists(tmp_path)[0])
    assert caught.value.where == f"{server.url}/legacy/"
    assert "throw-away" not in f"{caught.value} {caught.value.next_step}"


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            "Invalid API Token: OIDC scoped token is not valid for project 'demo'",
            "this project's 'Publishing' on example",
        ),
        ("Invalid API Token: project-scoped token is not valid for project: 'demo'", "a token of this project"),
        ("Invalid API Token: token is expired", "a new token"),
        ("User 'x' does not have a verified primary email address.", "e-mail address on example"),
        ("User 'x' does not have two-factor authentication enabled.", "two-factor"),
        ("The user 'x' isn't allowed to upload to project 'demo'.", "belongs to somebody else"),
        ("The given token isn't allowed to upload to project 'demo'.", "archived"),
        ("Invalid or non-existent authentication information.", "a new token on example"),
        ("Because", "is valid, for this index, and for this project"),
    ],
)
def test_each_refusal_of_a_credential_has_its_advice(reason: str, advice: str, tmp_path: Path) -> None:
    """The advice depends on the reason: the token, the account, or the project's owner."""
    with run_script(no(403, "", reason=reason)) as (index, _), pytest.raises(Denied) as caught:
        index.send(build_dists(tmp_path)[0])
    assert advice in caught.value.next_step


def test_without_a_credential_nothing_is_sent(tmp_path: Path) -> None:
    """There is no anonymous try, and no login from .netrc."""
    with run_server(no(200)) as server, BoundedSession(BOUNDS) as http:
        login = Login(username="__token__", secret=Secret(""), origin="TWINE_PASSWORD is not set")
        index = PackageIndex(replace(index_place(server.url), login=login), http)
        assert not index.credential().present
        with pytest.raises(Denied, match="TWINE_PASSWORD is not set"):
            index.send(build_dists(tmp_path)[0])
    assert server.seen == []


@pytest.mark.parametrize("script", [Exchange.hang, lambda x: x.drip(b"HTTP/1.1 200 OK\r\nX: ")])
def test_an_index_that_never_answers_is_lost(
    script: Callable[[Exchange], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload ends at its deadline; the index may have the bytes."""
    monkeypatch.setattr("unmoor.adapters.index.send.transfer_time", lambda _: 0.4)
    served = FaultyIndex()

    def taking(exchange: Exchange) -> None:
        served.keep(*uploaded_file(exchange))
        script(exchange)

    with run_server(taking) as server, BoundedSession(Bounds(connect=1, stall=1, total=1)) as http:
        answer = PackageIndex(index_place(server.url), http).send(build_dists(tmp_path)[0])
    assert answer == Lost(reason="no complete answer within 0.4 s")
    assert len(served.stored) == 1


def changed(file: File) -> File:
    """The same name with other bytes."""
    file.path.write_bytes(file.path.read_bytes() + b"\n")
    return file


def renamed(file: File) -> File:
    """The same bytes under another name on disk."""
    return replace(file, path=file.path.rename(file.path.with_name(f"x{file.name}")))


def gone(file: File) -> File:
    """An empty file."""
    file.path.unlink()
    return file


def hollow(file: File) -> File:
    """An invalid wheel with the recorded hash."""
    file.path.write_bytes(b"PK nothing")
    return describe_file(file.path)


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (changed, Conflict, "changed on disk"),
        (renamed, Conflict, "its name is xdemo"),
        (gone, Conflict, "it is not readable any more"),
        (hollow, InvalidDist, "cannot be uploaded"),
    ],
)
def test_only_the_tested_file_is_sent(
    spoil: Callable[[File], File], kind: type[Exception], words: str, tmp_path: Path
) -> None:
    """The file is hashed again right before it is sent."""
    with run_script(no(200)) as (index, server), pytest.raises(kind, match=words):
        index.send(spoil(build_dists(tmp_path)[0]))
    assert server.seen == []


def test_a_credential_of_any_letters_is_sent(tmp_path: Path) -> None:
    """User names and passwords are sent as UTF-8."""
    with run_server(no(200)) as server, BoundedSession(BOUNDS) as http:
        login = Login(username="käpt'n", secret=Secret("påss\nword"), origin="a test")
        assert (
            PackageIndex(replace(index_place(server.url), login=login), http).send(build_dists(tmp_path)[0]) == Sent()
        )
    assert server.seen[0].headers["Authorization"].isascii()


@given(st.binary(), st.sampled_from(["text/html", "application/json", "text/plain", ""]), st.text())
def test_any_body_gives_a_message(body: bytes, kind: str, reason: str) -> None:
    """Any body and any status line give a clean message."""
    answer = Response(status=400, reason=reason, headers={"Content-Type": kind}, body=body, url="http://127.0.0.1/")
    assert error_message(answer)
