"""Scanners are asked one after the other, until one answers; a network that fails is met by all of them."""

from __future__ import annotations

import pytest
from tests.support.osv import needs
from tests.support.scanners import FakeScanner

from unmoor.adapters.scanners import FirstAnswer
from unmoor.errors import Cause, ToolMissing, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.scanner import Audit

GOOD = Audit(scanner="good", packages=1)


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([GOOD, GOOD], 1),
        ([Unknown("garbage"), GOOD], 2),
        ([failure(Cause.UNREACHABLE, "no network"), GOOD], 1),
        ([failure(Cause.LATER, "busy"), GOOD], 1),
        ([Unknown("garbage"), Unknown("nonsense")], 2),
        ([Unknown("garbage"), ToolMissing("no such program")], 2),
    ],
)
def test_the_first_answer(answers: list[Audit | UnmoorError], asked: int) -> None:
    """A whole answer counts. Without any, the error is the first one's and names the others."""
    scanners = [FakeScanner(each) for each in answers]
    first = FirstAnswer(scanners=lambda: scanners)
    if GOOD in answers[:asked]:
        assert first.audit(needs(), patience=10.0) == GOOD
    else:
        with pytest.raises(Unknown) as caught:
            first.audit(needs(), patience=10.0)
        said = str(caught.value)
        assert all((str(each) in said) == (not isinstance(each, ToolMissing)) for each in answers[:asked])
    assert [len(each.patience) for each in scanners] == [1] * asked + [0] * (len(scanners) - asked)


@pytest.mark.parametrize(("service", "asks"), [("", "api.osv.dev"), ("http://a.example", "http://a.example")])
def test_who_is_asked(service: str, asks: str) -> None:
    """The service that gets the names of packages has a name in messages."""
    assert FirstAnswer(scanners=tuple, service=service).asks == asks


def test_no_scanner() -> None:
    """Without any scanner nothing is known."""
    with pytest.raises(Unknown, match="no scanner"):
        FirstAnswer(scanners=tuple).audit(needs(), patience=10.0)
