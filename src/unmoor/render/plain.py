"""Plain lines, for CI logs and pipes: one when a stage says something, one when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from unmoor.core.events import Event, RunStarted, StageEnded, StageSaid, StageWarned
from unmoor.render import words
from unmoor.util.text import clean


@dataclass
class Plain:
    """Hears events and writes lines. ``quiet`` leaves out what stages say on the way."""

    write: Callable[[str], object]
    quiet: bool = False
    width: int = field(default=0, init=False)

    def __call__(self, event: Event) -> None:
        """Write what is worth a line."""
        match event:
            case RunStarted():
                self.width = max((len(entry.name) for entry in event.stages), default=0)
                kind = "rehearsal in" if event.rehearsal else "release into"
                self.write(f"{kind} the world {clean(event.world)!r}, up to {event.ceiling.name.lower()}")
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
