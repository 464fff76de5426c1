"""A stored login is checked before anything is sent."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from tests.support.index_tokens import index_token

from unmoor.adapters.index.tokens import check_login
from unmoor.config.real_world import real_world, upload_addresses
from unmoor.errors import Denied
from unmoor.ports.world import IndexPlace, Login
from unmoor.util.secret import Secret
from unmoor.util.values import replace

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


@pytest.mark.parametrize(
    ("where", "text", "expected"),
    [
        ("pypi", index_token(PYPI), f"a token of {PYPI}, for every project of its owner"),
        ("testpypi", index_token(TESTPYPI, project_names=["demo-x"]), f"a token of {TESTPYPI}, for demo-x"),
        ("pypi", index_token(PYPI, project_ids=["1"]), f"a token of {PYPI}, for projects that only the index can name"),
        (
            "pypi",
            index_token(PYPI, not_before=1, not_after=int(NOW) + 60),
            f"a token of {PYPI}, for every project of its owner, until 1970-01-12 13:47 UTC",
        ),
        ("mine", "hunter2", ""),
        ("mine", "pypi-throw-away", ""),
        ("mine", index_token("index.example.org"), "a token of index.example.org, for every project of its owner"),
        ("mine", index_token("behind.example.net"), "a token of behind.example.net, for every project of its owner"),
    ],
    ids=["whole", "project", "ids", "ends", "password", "opaque", "own", "proxied"],
)
def test_a_valid_login_is_described(where: str, text: str, expected: str) -> None:
    """The description names the index, the projects and the end of the token."""
    assert check_login(place(where, text), "Demo.X", NOW) == expected


WRONG: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "the staging index's": (
        "pypi",
        index_token(TESTPYPI),
        (f"a token of {TESTPYPI}", f"pypi is {PYPI}", "token on pypi"),
    ),
    "the production index's": ("testpypi", index_token(PYPI), (f"a token of {PYPI}", f"testpypi is {TESTPYPI}")),
    "a private one's": ("pypi", index_token("x.example.org"), ("x.example.org", PYPI)),
    "a public one's at a private index": (
        "mine",
        index_token(PYPI),
        (f"a token of {PYPI}", "mine is index.example.org"),
    ),
    "another project's": ("pypi", index_token(PYPI, project_names=["other"]), ("for other", "a release of Demo.X")),
    "another's, private": ("mine", index_token("x", project_names=["other"]), ("for other",)),
    "ended": ("pypi", index_token(PYPI, not_before=1, not_after=2), ("expired at 1970-01-01 00:00 UTC", "new token")),
    "not begun": (
        "pypi",
        index_token(PYPI, not_before=int(NOW) + 9, not_after=int(NOW) + 99),
        ("not valid before", "clock"),
    ),
    "a password": ("pypi", "hunter2", ("does not begin with pypi-", "API token on pypi")),
    "cut off": ("pypi", index_token(PYPI)[:-9], ("cut off",)),
    "with a line break": ("pypi", f"{index_token(PYPI)}\n", ("white space",)),
    "far future": ("mine", index_token("x", not_before=2**60, not_after=2**61), ("s after 1970",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_invalid_login_is_denied_without_a_request(case: str) -> None:
    """The error names both sides and what to do, but not the token."""
    where, text, expected = WRONG[case]
    with pytest.raises(Denied) as caught:
        check_login(place(where, text), "Demo.X", NOW)
    message = f"{caught.value} {caught.value.next_step}"
    assert "~/.pypirc" in message
    assert all(each in message for each in expected), message
    assert text.strip()[:20] not in message


def test_a_public_index_takes_no_user_names() -> None:
    """A user name means a password, which public indexes do not accept."""
    with pytest.raises(Denied, match="'somebody'"):
        check_login(place("pypi", index_token(PYPI), "somebody"), "demo", NOW)
