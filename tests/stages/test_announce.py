"""The stages ``check-announce`` and ``announce`` against the forge of a local world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.announcing import Sender
from tests.support.local_forge import RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge

from unmoor.core.stage import Output, StageContext
from unmoor.deploy.announce.delivery import Delivering
from unmoor.errors import ConfigError, Incomplete, UnmoorError
from unmoor.notes.announced import MarkerState, ReleaseEvent, read_markers
from unmoor.ports.announcer import TargetFacts
from unmoor.products import Announced, AnnouncedTo, Draft, PublishedRelease, Verified
from unmoor.stages.announce import Announce
from unmoor.stages.check_announce import CheckAnnounce
from unmoor.stages.undraft import PublishDraft

DRAFT: Output[Draft] = Output("draft")
VERIFIED: Output[Verified] = Output("verify")
BOTH = ("released", "failed")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("announce")) as running:
        yield running


@dataclass
class Announcing:
    """A release with a draft, and the stage that announces it."""

    at: LocalForge
    one: DraftInputs
    draft: Draft
    on: tuple[str, ...] = BOTH
    sender: Sender = field(default_factory=Sender)
    warnings: list[str] = field(default_factory=list)

    @property
    def stage(self) -> Announce:
        """The stage of a new run."""
        delivering = Delivering(
            announcer=self.sender,
            forge=self.at.forge(),
            clock=self.at.clock,
            targets=self.sender.names,
            on=self.on,
        )
        return Announce(
            release=RELEASE,
            verified=VERIFIED.by,
            command="unmoor release v1.0",
            delivering=delivering,
            advisory=True,
            after=(VERIFIED,),
        )

    @property
    def undraft(self) -> PublishDraft:
        """The stage that publishes it."""
        return PublishDraft(release=RELEASE, draft=DRAFT, forge=self.at.forge(), git=self.at.git, clock=self.at.clock)

    def publish(self) -> PublishedRelease:
        """Publish it."""
        return self.undraft.make(self.context())

    def context(self, *, verified: bool = False, failures: dict[str, UnmoorError] | None = None) -> StageContext:
        """What a run tells the stage."""
        products = {RELEASE.by: self.one.release, DRAFT.by: self.draft}
        more = {VERIFIED.by: Verified(held=())} if verified else {}
        return StageContext({**products, **more}, warn=self.warnings.append, failures=failures or {})

    def body(self) -> str:
        """The notes."""
        return self.at.forge().releases(self.one.release.tag)[0].body


@pytest.fixture
def it(at: LocalForge, tmp_path: Path) -> Announcing:
    """A release with a draft."""
    one = draft_inputs(at, tmp_path, at.release())
    return Announcing(at, one, one.stage.make(one.context))


@pytest.fixture
def immutable(at: LocalForge) -> Iterator[None]:
    """Releases become immutable."""
    setting = at.world / "forge" / "immutable"
    setting.parent.mkdir(exist_ok=True)
    setting.touch()
    yield
    setting.unlink()


@pytest.mark.usefixtures("immutable")
def test_a_release_is_announced_once(it: Announcing) -> None:
    """What was made is found, equal, on an immutable release too; and no other stage sees a difference in the notes."""
    page = it.publish()
    context = it.context(verified=True)
    assert it.stage.find(context) is None
    told = it.stage.make(context)
    assert told.summary == "chat: released sent, mail: released sent"
    assert it.stage.find(context) == told == it.stage.make(context)
    assert it.sender.sent == ["chat", "mail"]
    (message,) = it.sender.messages
    assert message.closing == page.url
    assert message.middle == "- Something new"
    assert it.undraft.find(context) == page
    assert it.one.stage.find(it.one.context) is not None
    assert it.body().startswith("- Something new")
    assert "chat" in it.stage.remedy(told)
    assert not it.warnings


def test_a_failed_run_is_announced_with_the_command(it: Announcing) -> None:
    """The notes of the draft keep that, whatever the next run writes there; the release is announced in its turn."""
    failures: dict[str, UnmoorError] = {"pypi": Incomplete("the index is away")}
    failed = it.context(failures=failures)
    assert it.stage.find(failed) is None
    told = it.stage.make(failed)
    assert {each.event for each in told.targets} == {"failed"}
    assert it.stage.find(failed) == told
    (message,) = it.sender.messages
    assert message.middle == "pypi: the index is away"
    assert message.closing == "To continue: unmoor release v1.0"
    assert it.one.stage.find(it.one.context) == it.draft
    it.publish()
    later = it.context(verified=True)
    assert it.stage.find(later) is None
    it.stage.make(later)
    assert {(each.event, each.target) for each in read_markers(it.body())} == {
        (event, name) for event in ReleaseEvent for name in it.sender.names
    }


def test_a_text_that_is_corrected_keeps_what_was_announced(it: Announcing) -> None:
    """Somebody edits a draft that says who heard of a failure: the next run restores the text, and no more."""
    it.stage.make(it.context(failures={"pypi": Incomplete("away")}))
    forge = it.at.forge()
    (there,) = forge.releases(it.one.release.tag)
    forge.annotate(there, there.body.replace("Something new", "Something else"))
    assert it.one.stage.find(it.one.context) is None
    it.one.stage.make(it.one.context)
    assert it.body().startswith("- Something new\n\n<!-- unmoor announce: failed chat sent")
    assert len(read_markers(it.body())) == len(it.sender.names)


@pytest.mark.parametrize(
    ("on", "verified", "fails", "events"),
    [
        (("released",), True, True, {"released"}),
        (("failed",), True, True, {"failed"}),
        (BOTH, True, True, {"released", "failed"}),
        (("released",), False, True, set()),
        (("failed",), True, False, set()),
    ],
    ids=["released", "failed", "both", "not public", "nothing failed"],
)
def test_what_is_announced(
    it: Announcing, on: tuple[str, ...], events: set[str], *, verified: bool, fails: bool
) -> None:
    """A failed deployment of a public release is a failed run, and the release is out: each for who wants it."""
    page = it.publish()
    it.on = on
    context = it.context(verified=verified, failures={"docs": Incomplete("lost a race")} if fails else {})
    told = it.stage.find(context) or it.stage.make(context)
    assert {each.event for each in told.targets} == events
    for message in it.sender.messages:
        assert page.url in message.closing


def test_a_run_without_a_draft_has_no_notes(at: LocalForge, tmp_path: Path) -> None:
    """It failed early, so nothing keeps a later run from saying that it failed, too."""
    one = draft_inputs(at, tmp_path, at.release())
    it = Announcing(at, one, Draft(id=0, tag=one.release.tag, url="", assets=()))
    context = it.context(failures={"dists": Incomplete("no")})
    assert it.stage.find(context) is None
    told = it.stage.make(context)
    assert [(each.result, each.time) for each in told.targets] == [("sent", ""), ("sent", "")]
    assert it.stage.find(context) is None


def test_what_is_not_known_to_be_sent_is_a_warning(it: Announcing) -> None:
    """With the command that sends it again; a later run warns, too, and sends nothing."""
    it.publish()
    it.sender.accepts = {"chat": False, "mail": None}
    context = it.context(verified=True)
    it.stage.make(context)
    command = f"unmoor announce {it.one.release.tag} --again"
    expected = [
        f"chat: the service refused the message, or some of its recipients; to send it again: {command} chat",
        f"mail: whether the message was sent is unknown; to send it again: {command} mail",
    ]
    assert it.warnings == expected
    assert {each.state for each in read_markers(it.body())} == {MarkerState.REFUSED, MarkerState.SENDING}
    it.warnings.clear()
    found = it.stage.find(context)
    assert isinstance(found, Announced)
    assert it.warnings == expected
    assert it.sender.sent == ["chat", "mail"]


def test_addresses_are_checked_early(it: Announcing) -> None:
    """One that cannot be used stops the run; one that this machine lacks is a warning."""
    stage = CheckAnnounce(delivering=it.stage.delivering)
    assert stage.plan() == "parse the addresses of chat, mail, and send nothing"
    assert stage.make(it.context()) == AnnouncedTo(targets=("chat", "mail"))
    it.sender.problems["mail"] = TargetFacts(name="mail", origin="MAIL_URL", problem="has none", missing=True)
    assert stage.make(it.context()) == AnnouncedTo(targets=("chat",))
    assert it.warnings == ["no message can be sent to mail from here: its address is in MAIL_URL"]
    it.sender.problems["chat"] = TargetFacts(name="chat", origin="CHAT_URL", problem="has a wrong address")
    with pytest.raises(ConfigError, match="CHAT_URL: the target chat has a wrong address") as caught:
        stage.make(it.context())
    assert "appriseit.com" in caught.value.next_step
    assert it.sender.sent == []


def test_a_plan_names_the_targets(it: Announcing) -> None:
    """And sends nothing."""
    assert it.stage.plan() == "tell chat, mail what became of the release, once"
    assert it.stage.runs_last
    assert it.stage.find(it.context()) is None
    assert it.stage.make(it.context()) == Announced()


def test_who_only_looks_sees_what_was_sent(it: Announcing) -> None:
    """As `unmoor status` does, without a verified release and without failures; nothing is sent then."""
    it.publish()
    assert it.stage.find(it.context()) is None
    told = it.stage.make(it.context(verified=True))
    assert it.stage.find(it.context()) == told
    assert it.sender.sent == ["chat", "mail"]
