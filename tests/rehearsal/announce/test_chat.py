"""The chats of a local world refuse what the real ones refuse, and keep what they take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.support.caught_messages import Catchers, start_catchers, token_of

from unmoor.rehearsal.announce.targets import caught


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catchers]:
    """One world for this module."""
    with start_catchers(tmp_path_factory.mktemp("chats")) as running:
        yield running


def post(at: Catchers, path: str, payload: object, *, password: str = "") -> requests.Response:
    """Send a payload; ``TOKEN`` in the path stands for the token of the chats."""
    token = token_of(at)
    return requests.post(
        at.catcher + path.replace("TOKEN", token),
        data=json.dumps(payload),
        auth=("unmoor", password or token),
        timeout=10,
    )


REFUSALS: dict[str, tuple[str, Any, int, str]] = {
    "slack: token": ("/slack/T00000001/B00000001/other", {"text": "a"}, 403, "invalid_token"),
    "slack: team": ("/slack/T00000002/B00000002/TOKEN", {"text": "a"}, 403, "invalid_token"),
    "slack: no text": ("/slack/T00000001/B00000001/TOKEN", {"text": ""}, 400, "invalid_payload"),
    "slack: no object": ("/slack/T00000001/B00000001/TOKEN", ["a"], 400, "invalid_payload"),
    "slack: long": ("/slack/T00000001/B00000001/TOKEN", {"text": "a" * 40_001}, 400, "msg_too_long"),
    "discord: token": ("/discord/2/other", {"content": "a"}, 401, "Invalid Webhook Token"),
    "discord: id": ("/discord/1/TOKEN", {"content": "a"}, 401, "Invalid Webhook Token"),
    "discord: empty": ("/discord/2/TOKEN", {"content": ""}, 400, "empty message"),
    "discord: long": ("/discord/2/TOKEN", {"content": "a" * 2_001}, 400, "2000 or fewer"),
    "json: nothing": ("/json/4", {"title": "a"}, 400, "no message"),
    "json: number": ("/json/9", {"message": "a"}, 401, "unauthorized"),
    "json: long": ("/json/4", {"message": "\u00e4" * 14_001}, 413, "too large"),
    "json: huge": ("/json/4", {"message": "a" * (1 << 20)}, 400, "no message"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused(at: Catchers, case: str) -> None:
    """With the status and the words of the service; nothing is kept."""
    path, payload, status, words = REFUSALS[case]
    before = len(caught(at.folder))
    answer = post(at, path, payload)
    assert answer.status_code == status
    assert words in answer.text
    assert len(caught(at.folder)) == before


def test_a_login_is_needed(at: Catchers) -> None:
    """The service that takes JSON has a password."""
    assert post(at, "/json/4", {"message": "a"}, password="other").status_code == 401


KEPT: dict[str, tuple[str, Any, tuple[str, str, str]]] = {
    "slack": (
        "/slack/T00000001/B00000001/TOKEN",
        {"attachments": [{"title": "t", "text": "body", "color": "#fff"}]},
        ("chat", "t", "body"),
    ),
    "slack text": ("/slack/T00000001/B00000001/TOKEN", {"text": "only"}, ("chat", "", "only")),
    "discord": ("/discord/2/TOKEN", {"content": "t\r\nbody"}, ("talk", "", "t\r\nbody")),
    "discord embed": ("/discord/2/TOKEN", {"embeds": [{"title": "t", "description": "d"}]}, ("talk", "", "t\nd")),
    "json": ("/json/4", {"title": "t", "message": "body"}, ("hook", "t", "body")),
}


@pytest.mark.parametrize("case", KEPT)
def test_kept(at: Catchers, case: str) -> None:
    """As people would read it."""
    path, payload, expected = KEPT[case]
    assert post(at, path, payload).ok
    last = caught(at.folder)[-1]
    assert (last.target, last.title, last.text) == expected
