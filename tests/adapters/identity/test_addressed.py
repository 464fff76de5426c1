"""ID tokens from an address."""

from __future__ import annotations

import pytest
from tests.support.faulty_server import Exchange, Script, run_server

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.identity.addressed import id_token_from
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

LOGIN = Login(username="", secret=Secret("s3cret-bearer"), origin="the world file")


def ask(script: Script, query: str = "") -> tuple[Secret | UnmoorError, list[str]]:
    """Ask a server for a token. Return it or the error, and the requested paths with their Authorization."""
    with run_server(script) as server, BoundedSession() as http:
        try:
            found: Secret | UnmoorError = id_token_from(f"{server.url}/token{query}", LOGIN, "sigstore & co", http)
        except UnmoorError as error:
            found = error
        return found, [f"{each.path} {each.headers['Authorization']}" for each in server.seen]


@pytest.mark.parametrize("query", ["", "?api-version=2.0"])
def test_the_address_is_asked_as_githubs(query: str) -> None:
    """The audience is added to the address, and the credential sent as a bearer token."""
    found, seen = ask(lambda exchange: exchange.json({"value": "a.b.c"}), query)
    assert found == Secret("a.b.c")
    audience = f"{'&' if query else '?'}audience=sigstore%20%26%20co"
    assert seen == [f"/token{query}{audience} Bearer s3cret-bearer"]


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        (lambda exchange: exchange.answer(401), Denied, "denies access (401)"),
        (lambda exchange: exchange.answer(403), Denied, "denies access (403)"),
        (lambda exchange: exchange.answer(404), Unknown, "answered 404"),
        (lambda exchange: exchange.answer(500), Unknown, "answered 500"),
        (lambda exchange: exchange.answer(429, headers={"Retry-After": "7"}), Unknown, "retry later (429)"),
        (lambda exchange: exchange.answer(200, "<html>log in</html>"), Unknown, "has no ID token"),
        (lambda exchange: exchange.json([]), Unknown, "has no ID token"),
        (lambda exchange: exchange.json({"value": ""}), Unknown, "has no ID token"),
        (lambda exchange: exchange.json({"value": ["a"]}), Unknown, "has no ID token"),
        (lambda exchange: exchange.json({"value": "a b"}), Unknown, "has no ID token"),
        (Exchange.reset, Unknown, ""),
    ],
)
def test_any_other_answer_is_an_error(script: Script, kind: type[UnmoorError], says: str) -> None:
    """What happened is said, with the address and without the credential."""
    found, _ = ask(script)
    assert type(found) is kind or (kind is Unknown and isinstance(found, Unknown))
    assert says in str(found)
    assert "/token: " in str(found)
    assert "s3cret" not in str(found)
