"""The sessions of sigstore's clients: every answer but a success is an error that says what to do."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import requests
from tests.support.faulty_server import Exchange, Script, run_server

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.sigstore import clients
from unmoor.adapters.sigstore.clients import AUTHORITY, LOG
from unmoor.errors import Cause, UnmoorError

TOKEN = "e30.e30.c2VjcmV0LXNpZ25hdHVyZQ"


def post(script: Script, whose: str = LOG, patience: float = math.inf) -> tuple[requests.Response | UnmoorError, int]:
    """Send what the clients do. Return the answer or the error, and the number of requests."""
    with run_server(script) as server, requests.Session() as session:
        clients._bound(session, whose, patience)
        try:
            found: requests.Response | UnmoorError = session.post(
                f"{server.url}/api", data=b"{}", headers={"Authorization": f"Bearer {TOKEN}"}
            )
        except UnmoorError as error:
            found = error
        assert all(each.headers["Authorization"] == f"Bearer {TOKEN}" for each in server.seen)
        return found, len(server.seen)


def said(message: str, status: int = 400) -> Script:
    """Answer with a refusal in the form of both servers."""
    return lambda exchange: exchange.answer(status, f'{{"code":{status},"message":"{message}"}}')


@pytest.mark.parametrize(
    ("whose", "script", "kind", "cause", "says"),
    [
        (AUTHORITY, said("bad audience", 401), "denied", Cause.DENIED, "answered 401: bad audience"),
        (AUTHORITY, said("no", 403), "denied", Cause.DENIED, "answered 403: no"),
        (AUTHORITY, said("bad token"), "denied", Cause.DENIED, "the certificate authority answered 400: bad token"),
        (AUTHORITY, said("moved", 404), "rejected", Cause.REFUSED, "answered 404: moved"),
        (AUTHORITY, said("there is one", 409), "rejected", Cause.REFUSED, "answered 409: there is one"),
        (LOG, said("there is one", 409), "unknown", Cause.LOST, "answered 409: there is one; its first answer was"),
        (LOG, said("bad entry"), "rejected", Cause.REFUSED, "the transparency log answered 400: bad entry"),
        (LOG, said("down", 500), "unknown", Cause.LOST, "answered 500: down"),
        (LOG, said("down", 503), "unknown", Cause.LOST, "answered 503: down"),
        (LOG, said("slow down", 429), "unknown", Cause.LATER, "answered 429: slow down"),
        (LOG, lambda x: x.answer(503, headers={"Retry-After": "9"}), "unknown", Cause.LATER, "answered 503"),
        (LOG, lambda x: x.answer(502, "<html>Bad</html>", reason="Bad Gateway"), "unknown", Cause.LOST, "Bad Gateway"),
        (LOG, lambda x: x.redirect("/login"), "unknown", Cause.NONSENSE, "answered 302"),
        (LOG, lambda x: x.redirect("/login", 307), "unknown", Cause.NONSENSE, "answered 307"),
        (LOG, said(f"the token {TOKEN} is bad", 401), "denied", Cause.DENIED, "the token *** is bad"),
        (LOG, Exchange.reset, "unknown", Cause.LOST, ""),
        (LOG, lambda x: x.answer(200, b" " * 2_000_000), "unknown", Cause.NONSENSE, "larger than 1000000 bytes"),
    ],
)
def test_any_answer_but_a_success_is_an_error(whose: str, script: Script, kind: str, cause: Cause, says: str) -> None:
    """Each request is sent once. The error says who answered what, where, and never shows the token."""
    found, sent = post(script, whose)
    assert isinstance(found, UnmoorError)
    assert (found.kind, found.cause, sent) == (kind, cause, 1)
    assert says in found.what
    assert found.where.startswith("http://127.0.0.1:")
    assert TOKEN not in str(found)
    assert found.retryable or found.next_step


def test_a_success_reaches_the_client() -> None:
    """The body is complete."""
    found, _ = post(lambda exchange: exchange.answer(201, '{"a": 1}'))
    assert isinstance(found, requests.Response)
    assert found.json() == {"a": 1}


@pytest.mark.parametrize("script", [Exchange.hang, lambda exchange: exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n")])
def test_a_server_that_does_not_answer_is_given_up(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence and a drip of bytes end at the total limit."""
    monkeypatch.setattr(clients, "BOUNDS", Bounds(total=0.3))
    found, _ = post(script)
    assert isinstance(found, UnmoorError)
    assert (found.kind, found.cause) == ("unknown", Cause.LOST)
    assert "within 0.3 s" in found.what


def test_a_netrc_file_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests would send the user's login for that host instead of the ID token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    found, sent = post(lambda exchange: exchange.json({}))
    assert isinstance(found, requests.Response)
    assert sent == 1
