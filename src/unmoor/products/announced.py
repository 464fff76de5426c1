"""What was announced of a release, and to whom."""

from __future__ import annotations

import msgspec

from unmoor.util.text import clean

SENT = "sent"
_WORDS = {
    SENT: "the message was sent",
    "refused": "the service refused the message, or some of its recipients",
    "unknown": "whether the message was sent is unknown",
}


class AnnouncedTo(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the targets whose addresses can be used on this machine."""

    targets: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The names, in one line."""
        return ", ".join(map(clean, self.targets)) or "no target has an address here"


class AnnouncedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One message: the name of its target, what it is about, and what is known of it.

    ``event`` is ``released`` or ``failed``, ``result`` is ``sent``, ``refused`` (by the service, or for some
    recipients) or ``unknown``, since ``time`` (UTC), which is empty if nothing records it.
    """

    target: str
    event: str
    result: str
    time: str = ""

    @property
    def told(self) -> str:
        """What is known of it, in words."""
        return _WORDS.get(self.result, _WORDS["unknown"])


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The messages about a release."""

    targets: tuple[AnnouncedTarget, ...] = ()

    def joined(self, other: Announced) -> Announced:
        """Both."""
        return Announced(targets=(*self.targets, *other.targets))

    @property
    def unsent(self) -> tuple[AnnouncedTarget, ...]:
        """The messages that are not known to be sent."""
        return tuple(each for each in self.targets if each.result != SENT)

    @property
    def summary(self) -> str:
        """What is known of each message, in one line."""
        told = ", ".join(f"{clean(each.target)}: {each.event} {each.result}" for each in self.targets)
        return told or "no message"
