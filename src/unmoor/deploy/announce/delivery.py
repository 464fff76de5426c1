"""Send messages about a release: judge the targets, claim, send, and note how each ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Self

import msgspec

from unmoor import advice
from unmoor.config.announce import AnnounceSettings
from unmoor.deploy.announce.claim import WINDOW, ReleaseRecord, ended_as
from unmoor.errors import ConfigError, Denied, Incomplete, Rejected, Unknown
from unmoor.notes.announced import Marker, MarkerState, ReleaseEvent, read_markers
from unmoor.ports.announcer import Announcer, Message
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.services import Services
from unmoor.products import Announced, AnnouncedTarget


class Delivering(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to send. ``targets`` and ``on`` are in the settings, ``window`` is that of `ReleaseRecord`."""

    announcer: Announcer
    forge: Forge
    clock: Clock
    targets: tuple[str, ...]
    on: tuple[str, ...] = ()
    window: float = WINDOW

    @classmethod
    def of(cls, settings: AnnounceSettings | None, services: Services) -> Self | None:
        """Open what the settings name; ``None`` if they name nobody, or if this world has no place for messages."""
        opened = services.deployers.announcer
        if settings is None or opened is None:
            return None
        return cls(
            announcer=opened(settings.targets),
            forge=services.forge,
            clock=services.clock,
            targets=tuple(settings.targets),
            on=settings.on,
        )

    def require_usable(self, warn: Callable[[str], None], only: Sequence[str] = ()) -> tuple[str, ...]:
        """The targets that can be sent to, of ``only`` these or of all. Warns about one that has no address here.

        Raises `ConfigError` for an address that cannot be used, and `ToolMissing`.
        """
        facts = [each for each in self.announcer.examine() if not only or each.name in only]
        wrong = [each for each in facts if each.problem and not each.missing]
        if wrong:
            raise ConfigError(
                "; ".join(f"the target {each.name} {each.problem}" for each in wrong),
                where=", ".join(dict.fromkeys(each.origin for each in wrong)),
                next_step=advice.CORRECT_ANNOUNCE_ADDRESS(),
            )
        for each in facts:
            if each.missing:
                warn(f"no message can be sent to {each.name} from here: its address is in {each.origin}")
        return tuple(each.name for each in facts if not each.problem)

    def announce(
        self,
        there: ForgeRelease | None,
        event: ReleaseEvent,
        message: Message,
        *,
        warn: Callable[[str], None],
        again: Sequence[str] = (),
    ) -> Announced:
        """Send a message to each target that nobody has sent it to, and to those in ``again`` in any case.

        Returns what the notes of the release say then, of all targets. Without a release there are no notes, and
        nothing keeps a later run from sending it. Raises what `require_usable` and `ReleaseRecord.claim` raise, before
        anything is sent.
        """
        usable = self.require_usable(warn, again)
        if there is None:
            return self._unrecorded(event, message, usable)
        record = ReleaseRecord(
            forge=self.forge, clock=self.clock, number=there.id, run=secrets.token_hex(8), window=self.window
        )
        claims = record.claim(event, usable, again=again)
        if not claims:
            return self.recorded(record.markers(), [event])
        accepted = {each.target: each.accepted for each in self.announcer.send(message, [c.target for c in claims])}
        try:
            return self.recorded(record.settle(claims, accepted), [event])
        except (Denied, Incomplete, Rejected, Unknown) as error:
            warn(f"the messages went out, but the notes still say that they are being sent: {error.in_brief()}")
            ended = tuple(ended_as(each, accepted.get(each.target)) for each in claims)
            return self.recorded((*read_markers(there.body), *ended), [event])

    def _unrecorded(self, event: ReleaseEvent, message: Message, targets: Sequence[str]) -> Announced:
        sent = self.announcer.send(message, targets) if targets else ()
        return Announced(
            targets=tuple(
                AnnouncedTarget(target=each.target, event=event.value, result=_RESULTS[each.accepted]) for each in sent
            )
        )

    def recorded(self, markers: Sequence[Marker], events: Sequence[ReleaseEvent]) -> Announced:
        """What markers say of the messages to these targets about these events."""
        known = {(each.event, each.target): each for each in markers}
        found = (known.get((event, name)) for event in events for name in self.targets)
        return Announced(targets=tuple(_told(each) for each in found if each is not None))


_RESULTS = {True: "sent", False: "refused", None: "unknown"}


def _told(marker: Marker) -> AnnouncedTarget:
    result = "unknown" if marker.state is MarkerState.SENDING else marker.state.value
    return AnnouncedTarget(target=marker.target, event=marker.event.value, result=result, time=marker.time)
