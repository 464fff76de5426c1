"""Times and shares in settings."""

from __future__ import annotations

import pytest

from unmoor.config.amounts import seconds_of, share_of
from unmoor.config.settings import resolve
from unmoor.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("300s", 300.0), ("10m", 600.0), ("10 min", 600.0), ("1h", 3600.0)]
)
def test_times(text: str, seconds: float) -> None:
    """A number and its unit."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "-1s", "1.5s", "5  s", "5 mins", "5d", "5s\n", "1234567s"])
def test_no_time(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="a time such as"):
        seconds_of(text)


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5%", 0.005), ("100%", 1.0), ("0%", 0.0)])
def test_shares(text: str, share: float) -> None:
    """A percentage."""
    assert share_of(text) == share


@pytest.mark.parametrize("text", ["", "1", "101%", "-1%", "1 %", "1%\n", ".5%"])
def test_no_share(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="a percentage such as"):
        share_of(text)


GOOD = """
[docs]
to = "branch:gh-pages"
[space]
repo = "acme/demo"
files = ["app.py"]
wait = "2m"
[service.web]
port = 8000
slots = { blue = 9101, green = 9102 }
[service.api]
port = 8001
slots = { a = 9103, b = 9104 }
max-errors = "0.5%"
[announce]
targets = { chat = "CHAT_URL" }
"""


def read(text: str) -> object:
    """Read settings from unmoor.toml."""
    return resolve(lambda name: text.encode() if name == "unmoor.toml" else None).settings


def test_the_tables_of_deployments_are_read() -> None:
    """Each has its defaults, and services are tables with names of their own."""
    settings = resolve(lambda name: GOOD.encode() if name == "unmoor.toml" else None).settings
    assert settings.docs is not None
    assert settings.docs.targets == ("branch:gh-pages",)
    assert settings.space is not None
    assert settings.space.wait == "2m"
    assert {name: each.port for name, each in settings.service.items()} == {"web": 8000, "api": 8001}
    assert settings.announce is not None
    assert settings.announce.on == ("released",)
    assert resolve(lambda _name: None).settings.service == {}


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"branch:gh-pages"', '"ftp://x"', "expected branch:NAME or readthedocs:SLUG"),
        ('"branch:gh-pages"', '"branch:../x"', "expected branch:NAME or readthedocs:SLUG"),
        ('"acme/demo"', '"demo"', "space.repo: expected owner/name"),
        ('"2m"', '"48h"', "space.wait: expected at most 24h"),
        ("green = 9102", "green = 9101", "service.web.slots: expected two slots"),
        ("[service.web]", "[service.WEB]", "service.WEB: expected a short name"),
        ("port = 8001", "prot = 8001", 'service.api.prot: there is no such key; did you mean "port"?'),
        ("[service.api]", "[[service.api]]", "service.api: expected a table, got a list"),
        ('"CHAT_URL"', '"https://token@chat"', "announce.targets: chat: expected the name of an environment variable"),
        ("[announce]", "[announce.more]", "announce.targets: missing"),
    ],
    ids=["scheme", "dots", "no owner", "too long", "one port", "capitals", "key", "array", "address", "nested"],
)
def test_a_fault_in_a_table_is_named(before: str, after: str, fault: str) -> None:
    """Nothing wrong is ignored, and the message names the key."""
    with pytest.raises(ConfigError) as caught:
        read(GOOD.replace(before, after, 1))
    assert fault in str(caught.value)
