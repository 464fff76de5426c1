"""The stage ``check-announce``: parse the addresses of all targets, while nothing has left this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, StageContext
from unmoor.deploy.announce.delivery import Delivering
from unmoor.products import AnnouncedTo


@dataclass(frozen=True, kw_only=True)
class CheckAnnounce(Check[AnnouncedTo]):
    """Parses the addresses of the targets. Sends nothing, and warns about one that has no address on this machine."""

    name: str = "check-announce"
    delivering: Delivering

    @classmethod
    def of(cls, delivering: Delivering) -> Self:
        """Build the stage for the targets of a request."""
        return cls(delivering=delivering)

    def plan(self) -> str:
        """Say what would be parsed."""
        return f"parse the addresses of {', '.join(self.delivering.targets)}, and send nothing"

    def make(self, context: StageContext) -> AnnouncedTo:
        """Parse them. Raises `ConfigError` if one cannot be used, and `ToolMissing` if apprise is not installed."""
        return AnnouncedTo(targets=self.delivering.require_usable(context.warn))
