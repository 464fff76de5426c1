"""Messages to real servers on this machine that refuse what chats and mail refuse, by apprise in a child process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.caught_messages import KINDS, Catchers, start_catchers, token_of
from tests.support.fault_plans import text_of

from unmoor.adapters.announce.pool import ApprisePool
from unmoor.errors import TimedOut, ToolMissing
from unmoor.ports.announcer import Message
from unmoor.ports.shell import Ran, Shell
from unmoor.ports.world import AnnouncePlace, Login
from unmoor.rehearsal.faults import control
from unmoor.util.secret import Secret
from unmoor.util.values import replace

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


@pytest.fixture
def faults(at: Catchers) -> Iterator[Callable[[str, str], None]]:
    """Request faults of the chats, which end with the test."""
    texts: list[str] = []

    def request(fault: str, path: str) -> None:
        texts.append(text_of(fault, "announce", f"POST ={path}*"))
        control.inject(at.folder, *texts)

    yield request
    control.clear(at.folder)


def test_what_a_service_refuses(at: Catchers, faults: Callable[[str, str], None]) -> None:
    """No status, or a lost answer, is a refusal of which nothing more is known; apprise believes any 200."""
    refusals = {"busy": False, "broken": False, "down": False, "lost-reply": False, "garbage": True}
    for fault in refusals:
        faults(fault, f"/json/4/{fault}")
    addresses = {fault: f"{at.addresses['hook']}/{fault}" for fault in refusals}
    sent = at.pool(deadline=20.0, **addresses).send(MESSAGE, tuple(refusals))
    assert {each.target: each.accepted for each in sent} == refusals


def test_a_wrong_token_and_a_refused_recipient_are_refusals(at: Catchers) -> None:
    """A mail that one of two recipients got is refused, too: nobody can tell it from one that nobody got."""
    refused = at.folder / "announce" / "refused"
    refused.write_text("hook@rehearsal.invalid", "utf-8")
    both = at.addresses["mail"].replace("to=mail", "to=hook%40rehearsal.invalid,mail")
    before = len(at.messages("mail"))
    sent = at.pool(chat=at.addresses["chat"][:-4] + "aaaa", mail=both).send(MESSAGE, ["chat", "mail"])
    assert [each.accepted for each in sent] == [False, False]
    assert len(at.messages("mail")) == before + 1


def test_one_that_drips_costs_no_more_than_the_deadline(at: Catchers, faults: Callable[[str, str], None]) -> None:
    """Four of five targets get the message; the fifth never ends its answer, and is given up with its process."""
    faults("drip", "/slack/")
    pool = at.pool(*KINDS, again=at.addresses["hook"], deadline=3.0)
    begun = time.monotonic()
    sent = pool.send(MESSAGE, pool.names)
    # To start takes a second of it on a quiet machine, and the child ends itself.
    assert time.monotonic() - begun < 3.0 + 8.0
    assert {each.target: each.accepted for each in sent} == {
        "chat": None,
        "talk": True,
        "mail": True,
        "hook": True,
        "again": True,
    }


def test_addresses_are_judged_without_sending(at: Catchers) -> None:
    """An unknown scheme, a half address, one of another machine in a rehearsal, and none at all."""
    before = [len(at.messages(name)) for name in KINDS]
    elsewhere = "json://forge.invalid/hook"
    pool = at.pool(
        "chat", "mail", odd="nope://x", half="slack://", elsewhere=elsewhere, none="", real="mailto://a:b@c.de"
    )
    facts = pool.examine()
    problems = {each.name: each.problem for each in facts if each.problem}
    unusable = "has an address that apprise does not know"
    assert problems == {
        "odd": unusable,
        "half": unusable,
        "elsewhere": unusable,
        "real": unusable,
        "none": "has no address here",
    }
    assert [each.name for each in facts if each.missing] == ["none"]
    assert [len(at.messages(name)) for name in KINDS] == before
    assert {each.name: each.problem for each in replace_rehearsal(pool, elsewhere).examine()} == {"elsewhere": ""}


def replace_rehearsal(pool: ApprisePool, address: str) -> ApprisePool:
    """The same in the real world, for one address."""
    login = Login(username="", secret=Secret(address), origin="a test")
    return replace(pool, logins={"elsewhere": login}, rehearsal=False, catcher="")


def test_nothing_that_is_heard_holds_an_address(at: Catchers, faults: Callable[[str, str], None]) -> None:
    """Not in the arguments, the environment or the output of the child, also if a plugin logs all of it."""
    faults("broken", "/")
    seen: list[str] = []

    class Listening:
        """A shell that keeps what passes through it."""

        def run(self, args: Sequence[str], *, env: Mapping[str, str], **options: Any) -> Ran:
            ran = at.shell.run(args, env={**env, "APPRISE_LOG": "1"}, **options)
            seen.extend([*args, *env.values(), ran.out, ran.err])
            return ran

    pool = replace(at.pool(*KINDS), shell=cast("Shell", Listening()))
    pool.examine()
    sent = pool.send(MESSAGE, tuple(KINDS))
    assert seen
    assert token_of(at) not in " ".join(seen)
    assert at.addresses["mail"] not in " ".join(seen)
    assert token_of(at) not in repr((pool, sent))


def test_without_apprise_nothing_is_sent(at: Catchers, tmp_path: Path) -> None:
    """The error names the extra."""
    (tmp_path / "apprise.py").write_text("raise ImportError\n", "utf-8")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    pool = replace(at.pool("hook"), environ=environ)
    before = len(at.messages("hook"))
    for call in (pool.examine, lambda: pool.send(MESSAGE, ["hook"])):
        with pytest.raises(ToolMissing, match="apprise") as caught:
            call()
        assert "unmoor[announce]" in caught.value.next_step
    assert len(at.messages("hook")) == before


def test_a_child_that_is_killed_leaves_the_rest_unknown(at: Catchers) -> None:
    """Whatever ends it, what it has said counts, and nothing is known of the others."""

    class Killing:
        def run(self, _args: Sequence[str], *, hear: Callable[[str], None], **_options: Any) -> Ran:
            hear('{"target": "hook", "accepted": true, "seconds": 0.1}')
            hear('{"target": "other", "accepted": true}')
            hear("not JSON")
            raise TimedOut("it ran for too long")

    pool = replace(at.pool("hook", "mail"), shell=cast("Shell", Killing()))
    assert [each.accepted for each in pool.send(MESSAGE, ["hook", "mail"])] == [True, None]


@pytest.mark.parametrize(
    ("place", "address", "origin"),
    [
        (AnnouncePlace(), "json://here", "the environment variable HOOK_URL"),
        (AnnouncePlace(targets=()), "", "the world file, which has none of that name"),
    ],
    ids=["real", "world"],
)
def test_addresses_come_from_one_place(at: Catchers, place: AnnouncePlace, address: str, origin: str) -> None:
    """A world with a place for messages never gets an address from the variables of the real one."""
    environ = {"HOOK_URL": " json://here\n"}
    pool = ApprisePool.of(place, {"hook": "HOOK_URL"}, at.shell, environ, rehearsal=False)
    assert pool.logins["hook"].secret.reveal() == address
    assert pool.logins["hook"].origin == origin
