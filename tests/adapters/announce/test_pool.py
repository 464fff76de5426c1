"""Messages to real servers on this machine that refuse what chats and mail refuse, by apprise in a child process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.caught_messages import KINDS, Catchers, start_catchers

from unmoor.ports.announcer import Message

MESSAGE = Message(
    title="demo 1.0 is released",
    opening="demo 1.0 is released.",
    middle="\n".join(f"- change number {number}" for number in range(200)),
    closing="https://forge.invalid/acme/demo/releases/tag/v1.0",
)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catchers]:
    """One world for this module."""
    with start_catchers(tmp_path_factory.mktemp("catchers")) as running:
        yield running


def test_every_kind_of_target_gets_the_message(at: Catchers) -> None:
    """The address of the release is in each, also where the notes had to be cut."""
    sent = at.pool(*KINDS).send(MESSAGE, tuple(KINDS))
    assert {each.target: each.accepted for each in sent} == dict.fromkeys(KINDS, True)
    for name, kind in KINDS.items():
        (message,) = at.messages(name)
        assert message.kind == kind
        assert MESSAGE.closing in message.text
        assert "demo 1.0 is released" in f"{message.title} {message.text}"
    assert "…" in at.messages("talk")[0].text
    assert "change number 199" in at.messages("mail")[0].text
