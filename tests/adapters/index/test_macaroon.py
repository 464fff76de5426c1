"""What an API token says of itself, as pypitoken writes and reads it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymacaroons import Macaroon  # type: ignore[import-untyped]
from pypitoken import Token  # type: ignore[import-untyped]

from unmoor.adapters.index.macaroon import Restrictions, restrictions

LOCATION = "index.example.org"


def token(**restrict: object) -> str:
    """A token as the index makes it, with one restriction or none."""
    made = Token.create(domain=LOCATION, identifier="8f4e1d", key="key")
    return str(made.restrict(**restrict).dump() if restrict else made.dump())


def legacy(*caveats: str) -> str:
    """A token with caveats as they were written until 2022."""
    made = Macaroon(location=LOCATION, identifier="x", key="key", version=2)
    for caveat in caveats:
        made.add_first_party_caveat(caveat)
    return f"pypi-{made.serialize()}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (token(), Restrictions(location=LOCATION)),
        (
            token(project_names=["demo", "other"]),
            Restrictions(location=LOCATION, projects=frozenset({"demo", "other"})),
        ),
        (token(project_ids=["1-2-3"]), Restrictions(location=LOCATION, by_id=True)),
        (token(user_id="1-2-3"), Restrictions(location=LOCATION)),
        (token(not_before=100, not_after=200), Restrictions(location=LOCATION, begins=100, expires=200)),
        (legacy('{"version": 1, "permissions": "user"}'), Restrictions(location=LOCATION)),
        (
            legacy('{"version": 1, "permissions": {"projects": ["demo"]}}'),
            Restrictions(location=LOCATION, projects=frozenset({"demo"})),
        ),
        (legacy('{"nbf": 100, "exp": 200}'), Restrictions(location=LOCATION, begins=100, expires=200)),
        (legacy("[99, 1]", "not JSON", "[]", "7"), Restrictions(location=LOCATION)),
        (
            legacy('[1, ["a", "b"]]', '[1, ["b", "c"]]', "[0, 9, 1]", "[0, 7, 3]"),
            Restrictions(location=LOCATION, projects=frozenset({"b"}), begins=3, expires=7),
        ),
    ],
    ids=lambda value: type(value).__name__,  # a set has no order that stays
)
def test_what_a_token_says_is_read(text: str, said: Restrictions) -> None:
    """Where it is for, for what, and until when: every caveat narrows it further."""
    assert restrictions(text) == said


def test_a_third_partys_caveat_is_passed_over() -> None:
    """It is sealed; the token is still read."""
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
        token().removeprefix("pypi-"),
        token()[:-20],
        token()[:40],
        f"pypi-{Macaroon(location=LOCATION, identifier='x', key='k', version=1).serialize()}",
        "pypi-" + "A" * 30_000,
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_what_is_no_token_says_nothing(text: str) -> None:
    """Cut off, altered, another format, or no token at all."""
    assert restrictions(text) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Whatever stands there, it is read or it is not."""
    restrictions("pypi-" + base64.urlsafe_b64encode(b"\x02" + data).decode())


@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C"])), max_size=40), st.integers(1, 2**62))
def test_it_reads_what_pypitoken_writes(names: list[str], end: int) -> None:
    """Names of any number, and any time."""
    made = Token.create(domain=LOCATION, identifier="x", key="k").restrict(not_before=1, not_after=end)
    found = restrictions((made.restrict(project_names=names) if names else made).dump())
    assert found is not None
    assert found.expires == end
    assert found.projects == (frozenset(names) if names else None)
