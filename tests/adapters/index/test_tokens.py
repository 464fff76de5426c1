"""A stored login is judged before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from pypitoken import Token  # type: ignore[import-untyped]

from unmoor.adapters.index.tokens import judge
from unmoor.config.real_world import real_world, upload_addresses
from unmoor.errors import Denied
from unmoor.ports.world import IndexPlace, Login
from unmoor.util.secret import Secret

WORLD = real_world("acme/demo", {"GITHUB_ACTIONS": "true"})
PYPI, TESTPYPI = (urlsplit(each).netloc.removeprefix("upload.") for each in upload_addresses())
PRIVATE = "https://index.example.org/upload/"
NOW = 1_000_000.0


def place(index: str, password: str, username: str = "__token__") -> IndexPlace:
    """One of the public indexes, or a private one, with a login."""
    login = Login(username=username, secret=Secret(password), origin="~/.pypirc")
    assert WORLD.staging is not None
    known = {"pypi": WORLD.index, "testpypi": WORLD.staging}
    return replace(known.get(index, replace(WORLD.index, name=index, upload=PRIVATE)), login=login)


def token(domain: str, **restrict: object) -> str:
    """An API token."""
    made = Token.create(domain=domain, identifier="x", key="k")
    return str(made.restrict(**restrict).dump() if restrict else made.dump())


@pytest.mark.parametrize(
    ("where", "text", "told"),
    [
        ("pypi", token(PYPI), f"a token of {PYPI}, for every project of its owner"),
        ("testpypi", token(TESTPYPI, project_names=["demo-x"]), f"a token of {TESTPYPI}, for demo-x"),
        ("pypi", token(PYPI, project_ids=["1"]), f"a token of {PYPI}, for projects that only the index can name"),
        (
            "pypi",
            token(PYPI, not_before=1, not_after=int(NOW) + 60),
            f"a token of {PYPI}, for every project of its owner, until 1970-01-12 13:47 UTC",
        ),
        ("mine", "hunter2", ""),
        ("mine", "pypi-throw-away", ""),
        ("mine", token("index.example.org"), "a token of index.example.org, for every project of its owner"),
        ("mine", token("behind.example.net"), "a token of behind.example.net, for every project of its owner"),
    ],
    ids=["whole", "project", "ids", "ends", "password", "opaque", "own", "proxied"],
)
def test_what_can_be_right_is_told(where: str, text: str, told: str) -> None:
    """Whatever it says of itself, in words."""
    assert judge(place(where, text), "Demo.X", NOW) == told


WRONG: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "the staging index's": ("pypi", token(TESTPYPI), (f"a token of {TESTPYPI}", f"pypi is {PYPI}", "token on pypi")),
    "the production index's": ("testpypi", token(PYPI), (f"a token of {PYPI}", f"testpypi is {TESTPYPI}")),
    "a private one's": ("pypi", token("x.example.org"), ("x.example.org", PYPI)),
    "a public one's at a private index": ("mine", token(PYPI), (f"a token of {PYPI}", "mine is index.example.org")),
    "another project's": ("pypi", token(PYPI, project_names=["other"]), ("for other", "Demo.X is to be released")),
    "another's, private": ("mine", token("x", project_names=["other"]), ("for other",)),
    "ended": ("pypi", token(PYPI, not_before=1, not_after=2), ("ended at 1970-01-01 00:00 UTC", "new token")),
    "not begun": ("pypi", token(PYPI, not_before=int(NOW) + 9, not_after=int(NOW) + 99), ("begins at", "clock")),
    "a password": ("pypi", "hunter2", ("does not begin with pypi-", "API token on pypi")),
    "cut off": ("pypi", token(PYPI)[:-9], ("cut off",)),
    "with a line break": ("pypi", f"{token(PYPI)}\n", ("white space",)),
    "far future": ("mine", token("x", not_before=2**60, not_after=2**61), ("s after 1970",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_surely_wrong_is_denied_without_a_request(case: str) -> None:
    """Both sides are named, what to do is said, and the token is not."""
    where, text, said = WRONG[case]
    with pytest.raises(Denied) as caught:
        judge(place(where, text), "Demo.X", NOW)
    told = f"{caught.value} {caught.value.next_step}"
    assert "~/.pypirc" in told
    assert all(each in told for each in said), told
    assert text.strip()[:20] not in told


def test_a_public_index_takes_no_user_names() -> None:
    """Passwords were given up; the user name says that one is meant."""
    with pytest.raises(Denied, match="'somebody'"):
        judge(place("pypi", token(PYPI), "somebody"), "demo", NOW)
