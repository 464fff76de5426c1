"""Credentials: where each was found or looked for, never what it is."""

from __future__ import annotations

from tests.diagnostics.test_surfaces import WORLD

from unmoor.diagnostics.credentials import credentials, secret_variables
from unmoor.diagnostics.facts import FactState, absent, look_up
from unmoor.ports.world import Login
from unmoor.util.secret import Secret

GIVEN = Login(username="bob", secret=Secret("hunter2"), origin="the environment variable X")


def test_each_login() -> None:
    """A login is found in a place, or the places are said in which there is none."""

    def index_login(name: str, _upload: str) -> Login:
        return GIVEN if name == "pypi" else Login(username="", secret=Secret(""), origin="the file f, which is empty")

    asked = list(credentials(WORLD, lambda: absent("none: no job"), index_login=index_login))
    facts = {each.name: (each.state, each.value) for each in look_up(asked, within=5)}
    assert facts == {
        "pypi": (FactState.KNOWN, "found in the environment variable X"),
        "staging": (FactState.ABSENT, "none: the file f, which is empty"),
        "forge": (FactState.ABSENT, facts["forge"][1]),
        "r.io": (FactState.ABSENT, "nowhere"),
        "ID tokens": (FactState.ABSENT, "none: no job"),
    }


def test_a_world_with_logins() -> None:
    """Without anything that looks them up, the logins of the indexes are those of the world."""
    asked = list(credentials(WORLD, lambda: absent("none"), index_login=None))
    assert {each.value for each in look_up(asked, within=5) if each.name in {"pypi", "staging"}} == {"nowhere"}


def test_variables_that_look_like_secrets() -> None:
    """They are named, without their values; an empty one is none."""
    environ = {"A_TOKEN": "hunter2", "B_PASSWORD": "", "PATH": "/x", "C_SECRET": "s"}
    (fact,) = look_up([secret_variables(environ)], within=5)
    assert fact.value == "A_TOKEN, C_SECRET"
    (fact,) = look_up([secret_variables({})], within=5)
    assert (fact.state, fact.value) == (FactState.ABSENT, "none")
