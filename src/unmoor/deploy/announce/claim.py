"""Claim messages in the notes of a release before they are sent, so that two runs do not send one twice.

The forge has no "change this if nobody else did": of two runs that write the notes at once, the later one wins. So a
run writes its claim, waits for longer than any run takes between reading and writing, and looks again. If its claim is
still there, every other run has seen it, or gives up because it was too slow (Fischer's algorithm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from unmoor import advice
from unmoor.errors import Incomplete, Refused, Rejected, Unknown
from unmoor.filesystem import commands
from unmoor.notes.announced import Marker, MarkerState, ReleaseEvent, moved_to, read_markers, with_markers
from unmoor.ports.clock import Clock
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.poll import poll

WINDOW = 3.0
"""Seconds within which a run has to write what follows from what it read."""
# Seconds between reads of a release that may lag behind a write.
_PAUSES = (0.0, 1.0, 2.0, 4.0)
_TRIES = 3
_STATES = {True: MarkerState.SENT, False: MarkerState.REFUSED}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def again_command(tag: str, targets: Sequence[str]) -> str:
    """The command that sends messages whatever the notes say about them."""
    return commands.join(["unmoor", "announce", tag, *(part for each in targets for part in ("--again", each))])


def ended_as(claim: Marker, accepted: bool | None) -> Marker:  # noqa: FBT001 - an answer with three values
    """The marker of a message that ended so; the claim itself if nothing is known."""
    return claim if accepted is None else moved_to(claim, _STATES[accepted], _now())


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """The record of announcements in the notes of one release, by its number. ``run`` tells this run from others."""

    forge: Forge
    clock: Clock
    number: int
    run: str
    window: float = WINDOW

    def markers(self) -> tuple[Marker, ...]:
        """What the notes say now. Raises `Denied`, `Unknown`, `Incomplete` if the release is gone."""
        return read_markers(self._read().body)

    def claim(self, event: ReleaseEvent, targets: Sequence[str], *, again: Sequence[str] = ()) -> tuple[Marker, ...]:
        """Claim the messages to these targets that nobody has claimed, and those in ``again`` in any case.

        Returns the claims of this run: only these may be sent. Raises `Refused` if this run was too slow or another
        one was faster, `Rejected` if the notes have no room, `Denied` and `Unknown`. Nothing may be sent then.
        """
        begun = self.clock.now()
        there = self._read()
        known = {each.target for each in read_markers(there.body) if each.event is event}
        wanted = [each for each in targets if each in again or each not in known]
        if not wanted:
            return ()
        time = _now()
        claims = tuple(
            Marker(event=event, target=each, state=MarkerState.SENDING, time=time, run=self.run) for each in wanted
        )
        self._write(there, claims)
        if self.clock.now() - begun > self.window:
            raise Refused(
                f"the forge took more than {self.window:g} s to note that {', '.join(wanted)} will get a message:"
                " another run may have begun to send it, so nothing was sent",
                where=there.url,
                next_step=advice.ANNOUNCE_AGAIN(command=again_command(there.tag, wanted)),
            )
        self.clock.sleep(self.window)
        return self._still_ours(claims)

    def _still_ours(self, claims: tuple[Marker, ...]) -> tuple[Marker, ...]:
        """Those of the claims that are in the notes. Raises `Refused` if another run has replaced all of them."""
        # Without any claim about these messages, what was read is older than ours.
        seen = poll(
            self.markers,
            until=lambda found: any(each.is_about(ours) for each in found for ours in claims),
            waits=_PAUSES,
            clock=self.clock,
        )
        held = tuple(each for each in claims if each in seen)
        if not held:
            raise Refused(
                "another run is sending these messages, or somebody edited the notes meanwhile: nothing was sent",
                next_step=advice.SEE_NOTES(),
                retryable=True,
            )
        return held

    def settle(self, claims: Sequence[Marker], accepted: Mapping[str, bool | None]) -> tuple[Marker, ...]:
        """Note how each message ended, and return what the notes say then.

        One of which nothing is known stays claimed. Another run that notes its own at that moment may undo this, so
        look again. Raises `Denied`, `Rejected`, `Unknown`.
        """
        ended = tuple(ended_as(each, accepted.get(each.target)) for each in claims)
        seen: tuple[Marker, ...] = ()
        for _ in range(_TRIES):
            there = self._read()
            if not set(ended) <= set(read_markers(there.body)):
                self._write(there, ended)
            seen = self.markers()
            if set(ended) <= set(seen):
                break
        return seen

    def _read(self) -> ForgeRelease:
        there = self.forge.release(self.number)
        if there is None:
            raise Incomplete("the release is gone", where=self.forge.address)
        return there

    def _write(self, there: ForgeRelease, markers: tuple[Marker, ...]) -> None:
        """Write markers into the notes. After a lost answer, look whether they arrived."""
        body = with_markers(there.body, markers)
        if body is None:
            raise Rejected(
                "the notes have no room to note that a message is sent",
                where=there.url,
                next_step=advice.SHORTEN_NOTES(),
            )
        try:
            self.forge.annotate(there, body)
        except Unknown as error:
            require_not_put_off(error)
            if not set(markers) <= set(self.markers()):
                raise
