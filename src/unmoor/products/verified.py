"""What every surface holds at the end, read back."""

from __future__ import annotations

from dataclasses import dataclass

from unmoor.util.text import count_of


@dataclass(frozen=True, kw_only=True)
class VerifiedItem:
    """What one surface was seen to hold at the end; ``pending`` says what is still stale there."""

    surface: str
    what: str
    digest: str
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Every surface, read back."""

    held: tuple[VerifiedItem, ...]

    @property
    def summary(self) -> str:
        """How many were read back, in one line."""
        pending = sum(bool(held.pending) for held in self.held)
        return f"{count_of(len(self.held), 'item')} read back" + (f", {pending} still pending" if pending else "")
