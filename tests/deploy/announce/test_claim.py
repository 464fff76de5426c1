"""Two runs at once never send the same message: each claims it in the notes, waits, and looks again."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable

import pytest
from tests.support.announcing import RELEASE, Notebook
from tests.support.sample_values import FakeClock

from unmoor.deploy.announce.claim import WINDOW, ReleaseRecord
from unmoor.errors import Incomplete, Refused, Rejected, Unknown
from unmoor.notes.announced import Marker, MarkerState, ReleaseEvent, read_markers, with_markers
from unmoor.notes.limit import LIMIT

OTHER = Marker(
    event=ReleaseEvent.RELEASED, target="chat", state=MarkerState.SENDING, time="2026-01-31T12:00:00Z", run="ff"
)


class HookedClock(FakeClock):
    """A clock that lets another run act while this one waits."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        """Let the other run act, once."""
        super().sleep(seconds)
        act, self.meanwhile = self.meanwhile, lambda: None
        act()


def record(notebook: Notebook, clock: FakeClock | None = None, run: str = "aa") -> ReleaseRecord:
    """What one run writes and reads."""
    return ReleaseRecord(forge=notebook.forge, clock=clock or FakeClock(), number=RELEASE.id, run=run)


def marked(body: str, *markers: Marker) -> str:
    """Notes with markers."""
    text = with_markers(body, markers)
    assert text is not None
    return text


def test_a_message_is_claimed_sent_and_settled() -> None:
    """The notes say so before and after; a message without an answer stays claimed, and none is claimed twice."""
    notebook, clock = Notebook(), FakeClock()
    claims = record(notebook, clock).claim(ReleaseEvent.RELEASED, ["chat", "mail", "hook"])
    assert [each.target for each in claims] == ["chat", "mail", "hook"]
    assert read_markers(notebook.body) == claims
    assert clock.slept[0] == WINDOW
    ended = record(notebook).settle(claims, {"chat": True, "mail": False, "hook": None})
    assert [each.state for each in ended] == [MarkerState.SENT, MarkerState.REFUSED, MarkerState.SENDING]
    assert read_markers(notebook.body) == ended
    assert notebook.body.startswith(RELEASE.body)
    assert record(notebook, run="bb").claim(ReleaseEvent.RELEASED, ["chat", "mail", "hook"]) == ()
    (again,) = record(notebook, run="bb").claim(ReleaseEvent.RELEASED, ["chat", "mail"], again=["mail"])
    assert (again.target, again.run) == ("mail", "bb")
    assert len(record(notebook, run="cc").claim(ReleaseEvent.FAILED, ["chat"])) == 1


def test_the_later_of_two_claims_wins() -> None:
    """Another run had read the notes before this one wrote them, and wrote its own: this one gives up."""
    notebook = Notebook()

    def other() -> None:
        notebook.body = marked(RELEASE.body, OTHER)

    with pytest.raises(Refused, match="another run is sending"):
        record(notebook, HookedClock(other)).claim(ReleaseEvent.RELEASED, ["chat"])
    assert read_markers(notebook.body) == (OTHER,)


def test_a_claim_that_another_run_saw_holds() -> None:
    """Another run that reads the notes meanwhile finds the claim, and adds only its own messages."""
    notebook = Notebook()

    def other() -> None:
        assert [each.target for each in record(notebook, run="bb").claim(ReleaseEvent.RELEASED, ["chat", "mail"])] == [
            "mail"
        ]

    (claim,) = record(notebook, HookedClock(other)).claim(ReleaseEvent.RELEASED, ["chat"])
    assert claim.target == "chat"
    assert [each.target for each in read_markers(notebook.body)] == ["chat", "mail"]


def test_only_what_is_still_claimed_is_sent() -> None:
    """Another run replaced one of two claims."""
    notebook = Notebook()

    def other() -> None:
        notebook.body = marked(notebook.body, OTHER)

    claims = record(notebook, HookedClock(other)).claim(ReleaseEvent.RELEASED, ["chat", "mail"])
    assert [each.target for each in claims] == ["mail"]


def test_a_slow_claim_is_none() -> None:
    """A run that wrote later than any other waits may have replaced a claim that was acted on: it sends nothing."""
    notebook, clock = Notebook(), FakeClock()
    notebook.writes = lambda _body: clock.sleep(WINDOW + 1)
    with pytest.raises(Refused, match="took more than 3 s") as caught:
        record(notebook, clock).claim(ReleaseEvent.RELEASED, ["chat"])
    assert "unmoor announce v1.0 --again chat" in caught.value.next_step
    assert read_markers(notebook.body)[0].state is MarkerState.SENDING


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_is_looked_up(*, arrives: bool) -> None:
    """The claim holds if the notes have it, and nothing is sent otherwise."""
    notebook = Notebook()

    def lose(_body: str) -> None:
        raise Unknown("no answer")

    if arrives:
        notebook.wrote = lose
        assert len(record(notebook).claim(ReleaseEvent.RELEASED, ["chat"])) == 1
        return
    notebook.writes = lose
    with pytest.raises(Unknown):
        record(notebook).claim(ReleaseEvent.RELEASED, ["chat"])
    assert notebook.body == RELEASE.body


def test_without_room_nothing_is_claimed() -> None:
    """Notes that somebody made as long as the forge allows stay as they are."""
    notebook = Notebook()
    notebook.body = "x" * LIMIT
    with pytest.raises(Rejected, match="no room"):
        record(notebook).claim(ReleaseEvent.RELEASED, ["chat"])
    assert notebook.body == "x" * LIMIT


def test_a_release_that_is_gone_claims_nothing() -> None:
    """There are no notes any more."""
    with pytest.raises(Incomplete, match="gone"):
        record(Notebook(release_there=None)).claim(ReleaseEvent.RELEASED, ["chat"])


def test_settling_survives_another_run_that_settles() -> None:
    """A run that writes old notes over ours at that moment is corrected."""
    notebook = Notebook()
    claims = record(notebook).claim(ReleaseEvent.RELEASED, ["chat"])
    stale = notebook.body

    def overwrite(_body: str) -> None:
        notebook.wrote = lambda _body: None
        notebook.body = stale

    notebook.wrote = overwrite
    (ended,) = record(notebook).settle(claims, {"chat": True})
    assert ended.state is MarkerState.SENT


def test_of_many_runs_at_once_at_most_one_sends() -> None:
    """In threads, with a forge that takes its time: each message has at most one sender."""

    class RealClock:
        patience = math.inf

        def now(self) -> float:
            return time.monotonic()

        def sleep(self, seconds: float) -> None:
            time.sleep(seconds)

    chance = random.Random(15)  # noqa: S311 - when threads meet, and no secret
    notebook = Notebook(
        reads=lambda: time.sleep(chance.random() / 100), writes=lambda _body: time.sleep(chance.random() / 50)
    )
    senders: list[str] = []

    def run(name: str) -> None:
        mine = ReleaseRecord(forge=notebook.forge, clock=RealClock(), number=RELEASE.id, run=name, window=0.3)
        try:
            senders.extend(f"{each.target}" for each in mine.claim(ReleaseEvent.RELEASED, ["chat", "mail"]))
        except Refused:
            return

    threads = [threading.Thread(target=run, args=(f"{number:x}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(senders) == len(set(senders))
