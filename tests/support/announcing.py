"""Stand-ins for what announcements need: a forge with the notes of one release, and who sends messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from unmoor.errors import UnmoorError
from unmoor.ports.announcer import Delivery, Message, TargetFacts
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.util.values import replace

RELEASE = ForgeRelease(
    id=7,
    tag="v1.0",
    target="a" * 40,
    name="v1.0",
    body="- Something new",
    draft=False,
    prerelease=False,
    url="https://forge.invalid/acme/demo/releases/tag/v1.0",
    upload_url="",
    assets=(),
)


@dataclass
class Notebook:
    """A forge that has one release. ``reads`` and ``writes`` are called before it answers, and may raise."""

    release_there: ForgeRelease | None = RELEASE
    reads: Callable[[], None] = lambda: None
    writes: Callable[[str], None] = lambda _body: None
    wrote: Callable[[str], None] = lambda _body: None

    address = "https://forge.invalid/acme/demo"

    @property
    def forge(self) -> Forge:
        """The same, as the port."""
        return cast("Forge", self)

    @property
    def body(self) -> str:
        """The notes."""
        return self.release_there.body if self.release_there is not None else ""

    @body.setter
    def body(self, text: str) -> None:
        assert self.release_there is not None
        self.release_there = replace_body(self.release_there, text)

    def release(self, number: int) -> ForgeRelease | None:
        """The release, if it has that number."""
        self.reads()
        there = self.release_there
        return there if there is not None and there.id == number else None

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """The release, if it has that tag."""
        there = self.release_there
        return (there,) if there is not None and there.tag == tag else ()

    def public(self, tag: str) -> ForgeRelease | None:
        """The release, if it is public and has that tag."""
        there = self.release_there
        return there if there is not None and there.tag == tag and not there.draft else None

    def annotate(self, forge_release: ForgeRelease, body: str) -> ForgeRelease:
        """Replace the notes."""
        self.writes(body)
        self.body = body
        self.wrote(body)
        return forge_release


def replace_body(release: ForgeRelease, body: str) -> ForgeRelease:
    """The release with other notes."""
    return replace(release, body=body)


@dataclass
class Sender:
    """Sends to nobody, and remembers what. ``accepts`` says how each message ends, ``None`` for no answer."""

    names: tuple[str, ...] = ("chat", "mail")
    accepts: dict[str, bool | None] = field(default_factory=dict)
    problems: dict[str, TargetFacts] = field(default_factory=dict)
    error: BaseException | None = None
    sent: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    missing: UnmoorError | None = None

    def examine(self) -> tuple[TargetFacts, ...]:
        """Every target is usable, except those with a problem."""
        if self.missing is not None:
            raise self.missing
        return tuple(self.problems.get(name, TargetFacts(name=name, origin="a test")) for name in self.names)

    def send(self, message: Message, targets: Sequence[str]) -> tuple[Delivery, ...]:
        """Remember a message."""
        self.sent += targets
        self.messages.append(message)
        if self.error is not None:
            raise self.error
        return tuple(Delivery(target=name, accepted=self.accepts.get(name, True), seconds=0.1) for name in targets)
