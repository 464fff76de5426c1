"""Plain lines for CI logs and pipes: one for each message of a stage, and one when the stage ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from unmoor.core.events import Event, RunStarted, StageEnded, StageSaid, StageWarned
from unmoor.render import words
from unmoor.util.text import clean


@dataclass
class Plain:
    """A listener that writes lines. ``quiet`` omits the messages of running stages."""

    write: Callable[[str], object]
    quiet: bool = False
    width: int = field(default=0, init=False)

    def __call__(self, event: Event) -> None:
        """Write a line for an event that has one."""
        match event:
            case RunStarted():
                self.width = max((len(entry.name) for entry in event.stages), default=0)
                what = "rehearsal in" if event.rehearsal else "release to"
                self.write(f"{what} world {clean(event.world)!r}, ceiling {event.ceiling.name.lower()}")
            case StageSaid() if not self.quiet:
                self.write(f"{event.stage:<{self.width}}  {clean(event.text, limit=500)}")
            case StageWarned():
                self.write(f"{event.stage:<{self.width}}  warning: {clean(event.text, limit=2000)}")
            case StageEnded():
                took = f" ({event.seconds:.1f} s)" if event.seconds >= 0.05 else ""  # noqa: PLR2004 - shown as 0.1
                self.write(
                    f"{event.stage:<{self.width}}  {words.state(event.outcome)}: {words.text(event.outcome)}{took}"
                )
            case _:
                pass
