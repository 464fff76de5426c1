"""The packages API: its faults and pages. The tests of the local world's forge cover its usual behavior."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.faulty_server import Exchange, Script, run_server
from tests.support.local_forge import place_at
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry.packages import ForgePackages
from unmoor.errors import Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.registry import PackageVersion

PACKAGE = {"name": "demo", "visibility": "public"}
VERSION = PackageVersion(id=7, digest=f"sha256:{7:064x}", tags=("1.0",), created="2026-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def http() -> Iterator[BoundedSession]:
    """One session."""
    with BoundedSession() as session:
        yield session


def packages(
    url: str, http: BoundedSession, repository: str = "acme/demo", *, clock: FakeClock | None = None
) -> ForgePackages:
    """Return the adapter at an address."""
    return ForgePackages(place_at(url, token="throw-away"), repository, http, clock or FakeClock())


def row(number: int, **changes: object) -> dict[str, Any]:
    """Return one version as the API writes it."""
    day = f"2026-01-{number % 28 + 1:02}T00:00:00Z"
    container = {"package_type": "container", "container": {"tags": [f"t{number}"]}}
    return {"id": number, "name": f"sha256:{number:064x}", "created_at": day, "metadata": container, **changes}


def listing(rows: list[Any]) -> Script:
    """Serve an organisation's package with these versions, page by page."""

    def script(it: Exchange) -> None:
        if "/users/" in it.path:
            it.answer(404, '{"message": "Not Found"}', kind="application/json")
        elif "/versions?" in it.path:
            query = parse_qs(urlsplit(it.path).query)
            size, page = int(query["per_page"][0]), int(query["page"][0])
            it.json(rows[size * (page - 1) : size * page])
        else:
            it.json(PACKAGE)

    return script


def test_every_page_is_read(http: BoundedSession) -> None:
    """The list has each version once, the newest first. Every request has the token."""
    with run_server(listing([row(number) for number in range(1, 251)])) as server:
        found = packages(server.url, http).versions()
    assert len(found) == 250
    assert [each.created for each in found] == sorted((each.created for each in found), reverse=True)
    assert found[-1].tags
    assert all(seen.headers["Authorization"] == "token throw-away" for seen in server.seen)


def test_the_owner_is_an_organisation_or_a_user(http: BoundedSession) -> None:
    """A package under neither is absent. Slashes in its name are escaped."""

    def users(it: Exchange) -> None:
        if "/orgs/" in it.path:
            it.answer(404, "{}", kind="application/json")
        else:
            it.json([] if "/versions" in it.path else PACKAGE)

    with run_server(users) as server:
        mine = packages(server.url, http, "acme/demo/part")
        assert mine.versions() == ()
        assert mine.is_public() is True
    assert "/api/v3/users/acme/packages/container/demo%2Fpart/versions" in server.paths()[-2].partition("?")[0]
    with run_server(lambda it: it.answer(404, "{}", kind="application/json")) as server:
        absent = packages(server.url, http)
        assert (absent.versions(), absent.is_public()) == ((), None)
        absent.delete(VERSION)
        assert server.paths("DELETE") == []


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, name="latest")],
        [row(1, id="one")],
        [row(1, metadata={"container": {"tags": ["not a tag"]}})],
        [row(1, metadata=None)],
        ["nonsense"],
    ],
    ids=["no digest", "no number", "no tag", "no metadata", "no version"],
)
def test_a_list_is_read_strictly(http: BoundedSession, rows: list[Any]) -> None:
    """One malformed version makes the whole list unknown."""
    with run_server(listing(rows)) as server, pytest.raises(Unknown):
        packages(server.url, http).versions()


ACTS: dict[str, Callable[[ForgePackages], object]] = {
    "versions": lambda it: it.versions(),
    "is_public": lambda it: it.is_public(),
    "delete": lambda it: it.delete(VERSION),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda it: it.answer(401, '{"message": "Bad credentials"}'), Denied),
        (lambda it: it.answer(403, '{"message": "You need at least read:packages"}'), Denied),
        (lambda it: it.answer(500), Unknown),
        (lambda it: it.answer(429, headers={"Retry-After": "900"}), Unknown),
        (lambda it: it.reset(), Unknown),
        (lambda it: it.answer(200, "<html>"), Unknown),
        (lambda it: it.answer(200, ""), Unknown),
        (lambda it: it.redirect("/elsewhere"), Unknown),
    ],
    ids=["401", "403", "500", "429", "reset", "a web page", "nothing", "redirect"],
)
def test_every_fault_is_one_clear_error(
    http: BoundedSession, act: str, script: Script, error: type[UnmoorError]
) -> None:
    """No error quotes the token."""
    with run_server(script) as server, pytest.raises(error) as caught:
        ACTS[act](packages(server.url, http))
    assert "throw-away" not in str(caught.value) + caught.value.next_step


def test_a_refused_deletion_has_the_reason_of_the_forge(http: BoundedSession) -> None:
    """A refusal is `Rejected`. A version that does not exist is fine."""
    message = "Publicly visible package versions with more than 5000 downloads cannot be deleted."

    def script(it: Exchange) -> None:
        if it.command == "DELETE":
            it.answer(400, json.dumps({"message": message}), kind="application/json")
        else:
            it.json(PACKAGE)

    with run_server(script) as server, pytest.raises(Rejected, match="5000 downloads"):
        packages(server.url, http).delete(VERSION)

    def gone(it: Exchange) -> None:
        if it.command == "DELETE":
            it.answer(404)
        else:
            it.json(PACKAGE)

    with run_server(gone) as server:
        packages(server.url, http).delete(VERSION)


def test_a_rate_limit_is_waited_for_and_is_not_a_denial(http: BoundedSession) -> None:
    """GitHub answers 403 to both. A limited request is repeated as soon as GitHub allows."""
    clock, left = FakeClock(), [1]

    def script(it: Exchange) -> None:
        if left and left.pop():
            body = json.dumps({"message": "You have exceeded a secondary rate limit."})
            it.answer(403, body, kind="application/json", headers={"Retry-After": "17"})
        else:
            it.json(PACKAGE)

    with run_server(script) as server:
        assert packages(server.url, http, clock=clock).is_public() is True
    assert clock.slept == [17.0]


def test_a_deletion_is_tried_again_after_a_fault(http: BoundedSession) -> None:
    """If the answer to a deletion is lost, a 404 to the next one is a success."""
    answers = iter([502, 404])

    def script(it: Exchange) -> None:
        if it.command == "DELETE":
            it.answer(next(answers))
        else:
            it.json(PACKAGE)

    with run_server(script) as server:
        packages(server.url, http).delete(VERSION)
    assert len(server.paths("DELETE")) == 2
