"""``uv audit`` against a server with the API of OSV: only a whole report counts, and nothing is built."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.faulty_server import Exchange, run_server
from tests.support.osv import ADVISORY, answer_index, answer_osv, needs

from unmoor.adapters.scanners.uv_audit import UvAudit, read_report
from unmoor.adapters.uv import Uv
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.scanner import Audit
from unmoor.ports.shell import Ran
from unmoor.util.values import replace


def audited(uv: Uv, script: Callable[[Exchange], None], *requires: str, patience: float = 60.0) -> Audit:
    """Scan what a wheel needs, with the answers of a server."""
    with run_server(lambda exchange: None if answer_index(exchange) else script(exchange)) as server:
        own = replace(uv, dependencies=f"{server.url}/simple")
        return UvAudit(uv=own, service=server.url).audit(needs(*requires), patience=patience)


def test_findings(uv: Uv) -> None:
    """A vulnerability comes with its version, its aliases, what fixes it and a page about it."""
    asked: list[dict[str, Any]] = []
    audit = audited(uv, lambda exchange: answer_osv(exchange, {"idna"}, asked), "idna==3.6")
    (found,) = audit.vulnerabilities
    assert (found.package, found.version, found.fixed) == ("idna", "3.6", ("3.7",))
    assert {found.id, *found.aliases} == {ADVISORY["id"], *ADVISORY["aliases"]}
    assert found.url == "https://a.example/idna"
    assert audit.packages == 2
    assert {(each["package"]["name"], each["version"]) for each in asked} == {("demo", "1.0"), ("idna", "3.6")}


def test_nothing(uv: Uv) -> None:
    """A scan that finds nothing says in how many packages."""
    audit = audited(uv, lambda exchange: answer_osv(exchange, set(), []), "idna==3.6")
    assert (audit.packages, audit.vulnerabilities) == (2, ())


def test_extras(uv: Uv) -> None:
    """Extras are resolved together; if they exclude each other, the rest is scanned, with a note."""
    asked: list[dict[str, Any]] = []
    extra = ("idna==3.6; extra == 'a'", "idna==3.7; extra == 'b'")
    audit = audited(uv, lambda exchange: answer_osv(exchange, {"idna"}, asked), extra[0])
    assert audit.packages == 2
    audit = audited(uv, lambda exchange: answer_osv(exchange, {"idna"}, asked), *extra)
    assert (audit.packages, audit.vulnerabilities) == (1, ())
    assert "extras a, b were not scanned" in audit.notes[0]


def _of(status: int, body: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(status, body, kind="application/json")


@pytest.mark.parametrize(
    "script",
    [
        _of(500, "oops"),
        _of(403, "no"),
        _of(200, "<html>Log in</html>"),
        _of(200, ""),
        _of(200, "null"),
        _of(200, "{}"),
        Exchange.reset,
    ],
    ids=["500", "403", "login page", "empty", "null", "no results", "reset"],
)
def test_a_service_that_fails(uv: Uv, script: Callable[[Exchange], None]) -> None:
    """Whatever the service does wrong is an error, never a report without findings."""
    with pytest.raises(UnmoorError) as caught:
        audited(uv, script)
    assert caught.value.exit_code in {Unknown.exit_code, 5}


def test_a_service_that_is_silent(uv: Uv) -> None:
    """Nobody waits longer than the given patience."""
    with pytest.raises(Unknown, match="more than 1 s"):
        audited(uv, Exchange.hang, patience=1.0)


def test_what_cannot_be_resolved(uv: Uv) -> None:
    """Requirements that nothing fulfils are unknown, with uv's reason."""
    with pytest.raises(Unknown, match="idna"):
        audited(uv, lambda exchange: answer_osv(exchange, set(), []), "idna>3.6,<3.6")


REPORT = {
    "schema": {"version": "preview"},
    "summary": {"audited_packages": 1, "vulnerabilities": 0, "adverse_statuses": 0},
    "vulnerabilities": [],
    "adverse_statuses": [],
}
ONE = {"dependency": {"name": "idna", "version": "3.6"}, "id": "GHSA-1", "aliases": [], "fix_versions": []}


def _reports() -> Iterator[tuple[int, str]]:
    yield 0, ""
    yield 1, ""
    yield 1, "[]"
    yield 1, "{}"
    yield 2, json.dumps(REPORT)
    yield 0, json.dumps(REPORT | {"vulnerabilities": None})
    yield 0, json.dumps(REPORT | {"summary": {}})
    yield 0, json.dumps(REPORT | {"summary": {"audited_packages": 0, "vulnerabilities": 0}})
    yield 1, json.dumps(REPORT | {"summary": {"audited_packages": 1, "vulnerabilities": 1}})
    yield 1, json.dumps(REPORT | {"vulnerabilities": [ONE]})
    yield 0, json.dumps(REPORT)[:-1]


@pytest.mark.parametrize(("code", "out"), list(_reports()))
def test_no_report(code: int, out: str) -> None:
    """What is not a whole report, or contradicts itself, is unknown."""
    with pytest.raises(Unknown):
        read_report(Ran(args=("uv",), code=code, out=out, err="error: something"))


def test_project_status() -> None:
    """What the index says of a dependency is a note."""
    status = {"name": "idna", "status": "archived", "reason": "done"}
    report = REPORT | {"adverse_statuses": [status]}
    for code in (0, 1):
        audit = read_report(Ran(args=("uv",), code=code, out=json.dumps(report), err=""))
        assert audit.notes == ("the index calls the dependency idna archived: done",)
