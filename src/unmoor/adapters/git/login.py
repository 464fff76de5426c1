"""Let git log in to the forge with a token that is in no file and on no command line."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from unmoor.util.secret import Secret

_MOST_DIGITS = 3


def login_variables(url: str, *, site: str, token: Secret, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables with which git sends a token to a remote, besides what the user's variables configure.

    Only to the host of the forge's ``site``, and not if the address has a login. The first setting is empty: it takes
    away a login that the job's checkout has stored, since GitHub refuses a request with two of them.
    """
    place = urlsplit(url)
    if not token or place.scheme not in {"http", "https"} or place.hostname != urlsplit(site).hostname or "@" in url:
        return {}
    text = environ.get("GIT_CONFIG_COUNT", "")
    count = int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else 0
    name = f"http.{place.scheme}://{place.netloc}/.extraHeader"
    login = base64.b64encode(f"x-access-token:{token.reveal()}".encode()).decode()
    found = {"GIT_CONFIG_COUNT": str(count + 2)}
    for number, value in enumerate(("", f"Authorization: Basic {login}"), count):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found
