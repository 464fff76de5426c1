"""The stage ``announce``: tell people what became of the release, at most once, last of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from unmoor.core.stage import Output, Publish, StageContext
from unmoor.deploy.announce.claim import again_command
from unmoor.deploy.announce.delivery import Delivering
from unmoor.deploy.announce.message import failed, released
from unmoor.notes.announced import ReleaseEvent, read_markers
from unmoor.ports.announcer import Message
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Announced, Release, Verified
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class Announce(Publish[Announced]):
    """Sends one message about each event to each target that the notes of the release do not name yet.

    A verified release is announced as released, whatever became of its deployments, and a run in which something failed
    as failed. ``command`` resumes it. A failure here is a warning: the release is public, whoever has heard of it.
    """

    name: str = "announce"
    release: Output[Release]
    verified: str
    command: str
    delivering: Delivering

    runs_last: ClassVar[bool] = True

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        *,
        delivering: Delivering,
        release: Output[Release],
        verified: Output[Verified],
        after: Sequence[Output[Any]],
    ) -> Self:
        """Build the stage for a request. It waits for the outputs in ``after``, and needs none of them."""
        return cls(
            release=release,
            verified=verified.by,
            command=request.command,
            delivering=delivering,
            advisory=True,
            after=(verified, *after),
        )

    def plan(self) -> str:
        """Say who would be told."""
        return f"tell {', '.join(self.delivering.targets)} what became of the release, once"

    def find(self, context: StageContext) -> Announced | None:
        """Return what the notes say if they name each target, whatever became of its message.

        To whoever only looks nothing has happened: then whatever the notes say counts.
        """
        events = self._events(context)
        there = self._release(context)
        if there is None:
            return None
        found = self.delivering.recorded(read_markers(there.body), events or tuple(ReleaseEvent))
        if len(found.targets) < (len(self.delivering.targets) * len(events) or 1):
            return None
        self._warn(context, found)
        return found

    def make(self, context: StageContext) -> Announced:
        """Send the messages. Raises, before it sends any, what `Delivering.announce` raises."""
        told = Announced()
        for event in self._events(context):
            there = self._release(context)
            message = self._message(context, event, there)
            told = told.joined(self.delivering.announce(there, event, message, warn=context.warn))
        self._warn(context, told)
        return told

    def remedy(self, product: Announced) -> str:
        """Say what a person can do about a message that should not have been sent."""
        told = ", ".join(dict.fromkeys(each.target for each in product.targets)) or "nobody"
        return f"what {told} got stays: delete it there, or send a message that corrects it"

    def _events(self, context: StageContext) -> tuple[ReleaseEvent, ...]:
        """What there is to announce, and somebody wants to hear of."""
        true = {ReleaseEvent.RELEASED: self.verified in context.products, ReleaseEvent.FAILED: bool(context.failures)}
        return tuple(event for event, is_true in true.items() if is_true and event in self.delivering.on)

    def _release(self, context: StageContext) -> ForgeRelease | None:
        """The release on the forge: public, or a draft, which only a token that may push can see; ``None`` if none."""
        tag, forge = context[self.release].tag, self.delivering.forge
        public = forge.public(tag)
        if public is not None or not context.failures:
            return public
        return next(iter(forge.releases(tag)), None)

    def _message(self, context: StageContext, event: ReleaseEvent, there: ForgeRelease | None) -> Message:
        release = context[self.release]
        public = there if there is not None and not there.draft else None
        if event is ReleaseEvent.RELEASED:
            page, notes = (public.url, public.body) if public is not None else ("", "")
            return released(project=release.project, version=release.version, page=page, notes=notes)
        return failed(
            project=release.project,
            version=release.version,
            why=[f"{name}: {error.what}" for name, error in context.failures.items()],
            is_public=f"The release is public: {public.url}" if public is not None else "",
            command=self.command,
        )

    def _warn(self, context: StageContext, told: Announced) -> None:
        tag = context[self.release].tag
        for each in told.unsent:
            context.warn(f"{each.target}: {each.told}; to send it again: {again_command(tag, [each.target])}")
