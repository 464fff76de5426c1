"""A token reaches git for the forge's own host only."""

from __future__ import annotations

import base64

import pytest

from unmoor.adapters.git.login import login_variables
from unmoor.util.secret import Secret

SITE = "https://github.example"


@pytest.mark.parametrize(
    ("url", "token", "given"),
    [
        (f"{SITE}/acme/demo.git", "t", True),
        (f"{SITE}/acme/demo.git", "", False),
        ("https://other.example/acme/demo.git", "t", False),
        ("https://me:pw@github.example/acme/demo.git", "t", False),
        ("git@github.example:acme/demo.git", "t", False),
        ("/srv/demo.git", "t", False),
    ],
)
def test_where_a_token_goes(url: str, token: str, *, given: bool) -> None:
    """A stored header is taken away first, and the user's own settings stay."""
    found = login_variables(url, site=SITE, token=Secret(token), environ={"GIT_CONFIG_COUNT": "1"})
    assert bool(found) is given
    if given:
        login = base64.b64encode(b"x-access-token:t").decode()
        assert found == {
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_1": f"http.{SITE}/.extraHeader",
            "GIT_CONFIG_VALUE_1": "",
            "GIT_CONFIG_KEY_2": f"http.{SITE}/.extraHeader",
            "GIT_CONFIG_VALUE_2": f"Authorization: Basic {login}",
        }
