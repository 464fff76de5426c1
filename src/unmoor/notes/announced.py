"""What the notes of a release say about its announcements: comments, which nobody sees on the page.

A message cannot be looked up later. So the notes say, in one line for each target, that it is being sent and then that
it was sent. They are the only part of an immutable release that can still change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from unmoor.notes.limit import LIMIT
from unmoor.util.values import replace

# A line, wherever a person has moved it: what was sent must not be sent again because of an edit.
_MARKER = re.compile(
    r"^[ \t]*<!-- unmoor announce: (?P<event>released|failed) (?P<target>[a-z0-9][a-z0-9._-]{0,39})"
    r" (?P<state>[a-z]{1,20}) (?P<time>[0-9TZ:-]{1,32}) (?P<run>[0-9a-f]{1,32}) -->[ \t]*\r?$\n?",
    re.MULTILINE,
)


class ReleaseEvent(StrEnum):
    """What is announced."""

    RELEASED = "released"
    FAILED = "failed"


class MarkerState(StrEnum):
    """What is known of one message.

    ``sending``: a run was about to send it, and has not said how that ended. ``sent``: the service accepted it.
    ``refused``: the service did not, or not for every recipient; somebody may have got it.
    """

    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """One message: what it is about, the name of its target, and its state since ``time``, by the run ``run``."""

    event: ReleaseEvent
    target: str
    state: MarkerState
    time: str
    run: str

    @property
    def line(self) -> str:
        """The comment."""
        return f"<!-- unmoor announce: {self.event} {self.target} {self.state} {self.time} {self.run} -->"

    def is_about(self, other: Marker) -> bool:
        """Whether both are about the same message."""
        return (self.event, self.target) == (other.event, other.target)


def read_markers(body: str) -> tuple[Marker, ...]:
    """The markers in the notes of a release, in their order. A state that this version does not know is ``sending``."""
    return tuple(_marker(found) for found in _MARKER.finditer(body))


def _marker(found: re.Match[str]) -> Marker:
    state = found["state"]
    return Marker(
        event=ReleaseEvent(found["event"]),
        target=found["target"],
        state=MarkerState(state) if state in list(MarkerState) else MarkerState.SENDING,
        time=found["time"],
        run=found["run"],
    )


def without_markers(body: str) -> str:
    """The notes as they were written: without markers, and without the blank lines before the last of them."""
    return _MARKER.sub("", body).rstrip() if _MARKER.search(body) else body


def with_markers(body: str, markers: Iterable[Marker]) -> str | None:
    """The notes with these markers at their end, each in place of one about the same message. Others stay.

    ``None`` if there is no room for them.
    """
    kept: dict[tuple[str, str], Marker] = {(each.event, each.target): each for each in read_markers(body)}
    kept |= {(each.event, each.target): each for each in markers}
    text = without_markers(body).rstrip()
    lines = "\n".join(each.line for each in kept.values())
    if not lines:
        return text
    marked = f"{text}\n\n{lines}" if text else lines
    return marked if len(marked) <= LIMIT else None


def keep_markers(text: str, body: str) -> str:
    """A new text for the notes, with the markers that are in the former ``body``."""
    markers = read_markers(body)
    marked = with_markers(text, markers) if markers else None
    return text if marked is None else marked


def moved_to(marker: Marker, state: MarkerState, time: str) -> Marker:
    """The same message in another state."""
    return replace(marker, state=state, time=time)
