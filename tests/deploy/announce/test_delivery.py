"""Messages are sent at most once, whenever a run is killed, and refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.announcing import RELEASE, Notebook, Sender
from tests.support.sample_values import FakeClock

from unmoor.deploy.announce.delivery import Delivering
from unmoor.errors import ConfigError, Denied, Unknown
from unmoor.notes.announced import ReleaseEvent, read_markers
from unmoor.ports.announcer import Message, TargetFacts
from unmoor.products import Announced, AnnouncedTarget

MESSAGE = Message(title="title", opening="opening")


class Killed(BaseException):
    """The process ends here."""


class DyingClock(FakeClock):
    """A clock whose process is killed while it waits."""

    def sleep(self, seconds: float) -> None:
        """Die."""
        super().sleep(seconds)
        raise Killed


def announce(
    notebook: Notebook,
    sender: Sender,
    *,
    clock: FakeClock | None = None,
    again: tuple[str, ...] = (),
    warn: Callable[[str], None] = lambda _: None,
) -> Announced:
    """One run that announces a release."""
    delivering = Delivering(
        announcer=sender, forge=notebook.forge, clock=clock or FakeClock(), targets=sender.names, on=("released",)
    )
    return delivering.announce(notebook.release_there, ReleaseEvent.RELEASED, MESSAGE, warn=warn, again=again)


def results(told: Announced) -> dict[str, str]:
    """What is known of each message."""
    return {each.target: each.result for each in told.targets}


def die(_body: str = "") -> None:
    """End the process."""
    raise Killed


KILLS: dict[str, tuple[Callable[[Notebook, Sender], FakeClock], bool, bool]] = {
    "before it reads": (lambda notebook, _: set_hook(notebook, "reads"), False, False),
    "before it writes": (lambda notebook, _: set_hook(notebook, "writes"), False, False),
    "after it wrote": (lambda notebook, _: set_hook(notebook, "wrote"), True, False),
    "while it waits": (lambda _notebook, _sender: DyingClock(), True, False),
    "while it sends": (lambda _, sender: set_error(sender), True, True),
    "after it sent": (lambda notebook, _: set_second_write(notebook), True, True),
}


def set_hook(notebook: Notebook, name: str) -> FakeClock:
    """Have the process die in a hook."""
    setattr(notebook, name, die)
    return FakeClock()


def set_error(sender: Sender) -> FakeClock:
    """Have the process die while it sends."""
    sender.error = Killed()
    return FakeClock()


def set_second_write(notebook: Notebook) -> FakeClock:
    """Have the process die when it writes for the second time."""

    def first(_body: str) -> None:
        notebook.writes = die

    notebook.writes = first
    return FakeClock()


@pytest.mark.parametrize("when", KILLS)
def test_no_kill_sends_a_message_twice(when: str) -> None:
    """From the claim on, a message counts as unknown and is sent again only on request; before, a later run does."""
    prepare, claimed, sent = KILLS[when]
    notebook, sender = Notebook(), Sender()
    clock = prepare(notebook, sender)
    with pytest.raises(Killed):
        announce(notebook, sender, clock=clock)
    assert bool(sender.sent) is sent
    alive = Notebook(release_there=notebook.release_there)
    later = Sender()
    expected = "unknown" if claimed else "sent"
    assert results(announce(alive, later)) == dict.fromkeys(sender.names, expected)
    assert later.sent == ([] if claimed else ["chat", "mail"])
    assert results(announce(alive, later, again=("chat",))) == {"chat": "sent", "mail": expected}
    assert later.sent[-1] == "chat"


def test_each_result_is_noted() -> None:
    """A refusal and a silence are no success, and no later run repeats either."""
    notebook, sender = Notebook(), Sender(accepts={"chat": False, "mail": None})
    told = announce(notebook, sender)
    assert results(told) == {"chat": "refused", "mail": "unknown"}
    assert [each.told for each in told.unsent] == [
        "the service refused the message, or some of its recipients",
        "whether the message was sent is unknown",
    ]
    assert results(announce(notebook, later := Sender())) == results(told)
    assert later.sent == []


def test_an_unusable_address_is_refused_before_anything_is_sent() -> None:
    """The error names target and variable."""
    wrong = TargetFacts(name="chat", origin="the environment variable CHAT_URL", problem="is wrong")
    notebook, sender = Notebook(), Sender(problems={"chat": wrong})
    with pytest.raises(ConfigError, match="CHAT_URL: the target chat is wrong"):
        announce(notebook, sender)
    assert (sender.sent, notebook.body) == ([], RELEASE.body)


def test_a_target_of_another_machine_is_left_to_it() -> None:
    """A variable that is not set here is a warning: the message is neither sent nor claimed."""
    nowhere = TargetFacts(name="chat", origin="CHAT_URL, which is not set", problem="has no address here", missing=True)
    notebook, warnings = Notebook(), list[str]()
    told = announce(notebook, Sender(problems={"chat": nowhere}), warn=warnings.append)
    assert results(told) == {"mail": "sent"}
    assert [each.target for each in read_markers(notebook.body)] == ["mail"]
    assert warnings == ["no message can be sent to chat from here: its address is in CHAT_URL, which is not set"]


@pytest.mark.parametrize("error", [Unknown("lost"), Denied("no", next_step=ConfigError("x").next_step)])
def test_a_result_that_cannot_be_noted_is_a_warning(error: Exception) -> None:
    """The messages are out: the run says so, although the notes still say that they are being sent."""
    notebook, warnings = Notebook(), list[str]()

    def fail(_body: str) -> None:
        raise error

    def first(_body: str) -> None:
        notebook.writes = fail

    notebook.writes = first
    assert results(announce(notebook, Sender(), warn=warnings.append)) == {"chat": "sent", "mail": "sent"}
    assert "the messages went out, but the notes still say" in warnings[0]
    notebook.writes = lambda _body: None
    assert results(announce(notebook, later := Sender())) == {"chat": "unknown", "mail": "unknown"}
    assert later.sent == []


def test_without_a_release_there_is_nothing_to_note_it_in() -> None:
    """A run that failed before there was a draft says so all the same."""
    sender = Sender(accepts={"mail": None})
    told = announce(Notebook(release_there=None), sender)
    assert told.targets == (
        AnnouncedTarget(target="chat", event="released", result="sent"),
        AnnouncedTarget(target="mail", event="released", result="unknown"),
    )
