"""Every fault can happen somewhere, and an injection that could never be met is refused with the nearest names."""

from __future__ import annotations

import pytest

from unmoor.errors import ConfigError
from unmoor.rehearsal.faults import catalogue, routes
from unmoor.rehearsal.faults.catalogue import FAULTS, FaultKind


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_fault_can_be_put_somewhere(fault: catalogue.Fault) -> None:
    """A fault has a sentence and an address."""
    assert fault.summary
    assert not fault.summary.endswith(".")
    places = [(service, route) for service in routes.TABLES for route in routes.routes(service)]
    places += [("start", f"* {what}") for what in ("checkout", "project", "world", "run")]
    assert any(fault.fits(*place) for place in places)


@pytest.mark.parametrize(
    ("service", "route", "has", "lacks"),
    [
        ("pypi", "POST /legacy/", "file-too-large", "stale"),
        ("forge", "GET /repos/{owner}/{repo}/releases", "stale", "reset-during"),
        ("registry2", "PUT /v2/{name}/manifests/{reference}", "immutable-tag", "file-too-large"),
        ("journal", "upload/made", "moved-tag", "down"),
        ("start", "* checkout", "dirty-tree", "KILL"),
    ],
)
def test_faults_that_fit(service: str, route: str, has: str, lacks: str) -> None:
    """An address has the faults that make sense there."""
    assert FAULTS[has].fits(service, route)
    assert not FAULTS[lacks].fits(service, route)


@pytest.mark.parametrize(
    ("text", "says", "advice"),
    [
        ("lostreply@pypi:POST /legacy/#1", "no fault 'lostreply'", "lost-reply"),
        ("down@pipy:*#1", "no service 'pipy'", "pypi"),
        ("down@registry1:*#1", "no service 'registry1'", "registry"),
        ("down@pypi:POST /legcy/#1", "no route of pypi 'POST /legcy/'", "POST /legacy/"),
        ("stale@pypi:POST /legacy/#1", "stale cannot happen at pypi:POST /legacy/", "GET,HEAD"),
        ("down@journal:upload/made#1", "down cannot happen at journal", "at one of"),
        ("dirty-tree@start:world#1", "dirty-tree cannot happen at start:world", "start:checkout"),
        ("dirty-tree@start:checkout#2", "no second time", "dirty-tree@start:checkout#1"),
        ("second-run@start:run#1x3", "no second time", "second-run@start:run#1"),
        ("kill@journal:upload/made#1", "no fault 'kill'", "KILL"),
        ("nonsense", "no injection", "lost-reply@pypi:POST /legacy/#1"),
    ],
)
def test_what_is_refused(text: str, says: str, advice: str) -> None:
    """The message names what is wrong, and the next step the nearest right names."""
    with pytest.raises(ConfigError, match=says) as refused:
        catalogue.read(text)
    assert advice in str(refused.value.next_step)


@pytest.mark.parametrize(
    "text",
    [
        "down@pypi:*#1x0",
        "stale@pypi:*#1",
        "broken@registry:PUT =/v2/acme/demo/manifests/latest#1x0",
        "KILL@pypi:POST /legacy/#1:before",
        "INT@journal:upload/made#3",
        "refusing-hook@journal:draft/begun#1",
        "dirty-tree@start:checkout#1",
    ],
)
def test_what_is_right(text: str) -> None:
    """Every form of an address is let through."""
    assert str(catalogue.read(text)) == text


def test_no_kind_is_empty() -> None:
    """Each kind has a fault."""
    assert {fault.kind for fault in FAULTS.values()} == set(FaultKind)
