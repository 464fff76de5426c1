"""The restrictions in an API token, as pypitoken writes and reads them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymacaroons import Macaroon  # type: ignore[import-untyped]
from tests.support.index_tokens import index_token

from unmoor.adapters.index.macaroon import Restrictions, restrictions

LOCATION = "index.example.org"


def token(**restrict: object) -> str:
    """A token as the index makes it, with one restriction or none."""
    from pypitoken import Token  # type: ignore[import-untyped]  # takes 3 s, so not while tests are collected

    made = Token.create(domain=LOCATION, identifier="8f4e1d", key="key")
    return str(made.restrict(**restrict).dump() if restrict else made.dump())


def legacy(*caveats: str) -> str:
    """A token with caveats in the form used until 2022."""
    made = Macaroon(location=LOCATION, identifier="x", key="key", version=2)
    for caveat in caveats:
        made.add_first_party_caveat(caveat)
    return f"pypi-{made.serialize()}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token, Restrictions(location=LOCATION)),
        (
            partial(token, project_names=["demo", "other"]),
            Restrictions(location=LOCATION, projects=frozenset({"demo", "other"})),
        ),
        (partial(token, project_ids=["1-2-3"]), Restrictions(location=LOCATION, by_id=True)),
        (partial(token, user_id="1-2-3"), Restrictions(location=LOCATION)),
        (partial(token, not_before=100, not_after=200), Restrictions(location=LOCATION, begins=100, expires=200)),
        (partial(legacy, '{"version": 1, "permissions": "user"}'), Restrictions(location=LOCATION)),
        (
            partial(legacy, '{"version": 1, "permissions": {"projects": ["demo"]}}'),
            Restrictions(location=LOCATION, projects=frozenset({"demo"})),
        ),
        (partial(legacy, '{"nbf": 100, "exp": 200}'), Restrictions(location=LOCATION, begins=100, expires=200)),
        (
            partial(legacy, '[4, "1-2-3", {"ref": "x", "sha": "y"}]', '[2, ["1-2-3"]]', "[0, 9, 1]"),
            Restrictions(location=LOCATION, by_id=True, begins=1, expires=9, minted=True),
        ),
        (partial(legacy, '[4, "1-2-3"]'), Restrictions(location=LOCATION, minted=True)),
        (partial(legacy, "[99, 1]", "not JSON", "[]", "7", "[4]"), Restrictions(location=LOCATION)),
        (
            partial(legacy, '[1, ["a", "b"]]', '[1, ["b", "c"]]', "[0, 9, 1]", "[0, 7, 3]"),
            Restrictions(location=LOCATION, projects=frozenset({"b"}), begins=3, expires=7),
        ),
    ],
    ids=lambda value: type(value).__name__,  # a set has no order that stays
)
def test_restrictions(text: Callable[[], str], expected: Restrictions) -> None:
    """Reads the index, the projects and the time limits; every caveat restricts them further."""
    assert restrictions(text()) == expected


@pytest.mark.parametrize(
    "restrict",
    [{}, {"project_names": ["a", "b"]}, {"project_ids": ["1"]}, {"not_before": 1, "not_after": 2}],
    ids=["none", "names", "ids", "times"],
)
def test_tokens_of_other_tests_are_those_of_pypitoken(restrict: dict[str, Any]) -> None:
    """What our tests make themselves is the same to the byte."""
    from pypitoken import Token

    made = Token.create(domain=LOCATION, identifier="x", key="k")
    assert index_token(LOCATION, **restrict) == (made.restrict(**restrict) if restrict else made).dump()


def test_a_third_party_caveat_is_ignored() -> None:
    """It is encrypted; the rest of the token is read."""
    made = Macaroon(location=LOCATION, identifier="x", key="key", version=2)
    made.add_third_party_caveat("https://example.org", "their key", "id")
    made.add_first_party_caveat('[1, ["demo"]]')
    assert restrictions(f"pypi-{made.serialize()}") == Restrictions(location=LOCATION, projects=frozenset({"demo"}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pypi-",
        "pypi-throw-away",
        "pypi-!!!",
        "hunter2",
        f"pypi-{Macaroon(location=LOCATION, identifier='x', key='k', version=1).serialize()}",
        "pypi-" + "A" * 30_000,
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_invalid_tokens(text: str) -> None:
    """A token in another format, or not a token at all, gives nothing."""
    assert restrictions(text) is None


@pytest.mark.parametrize("part", [slice(len("pypi-"), None), slice(-20), slice(40)], ids=["start", "end", "most"])
def test_parts_of_a_token(part: slice) -> None:
    """A token that is cut off gives nothing."""
    assert restrictions(token()[part]) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Any bytes are read or rejected, without an exception."""
    restrictions("pypi-" + base64.urlsafe_b64encode(b"\x02" + data).decode())


@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C"])), max_size=40), st.integers(1, 2**62))
def test_it_reads_what_pypitoken_writes(names: list[str], end: int) -> None:
    """Any number of names and any time can be read back."""
    from pypitoken import Token

    made = Token.create(domain=LOCATION, identifier="x", key="k").restrict(not_before=1, not_after=end)
    found = restrictions((made.restrict(project_names=names) if names else made).dump())
    assert found is not None
    assert found.expires == end
    assert found.projects == (frozenset(names) if names else None)
