"""The content of every surface at the end of a release, read back."""

from __future__ import annotations

import msgspec

from unmoor.util.text import count_of


class VerifiedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item that a surface holds. ``pending`` says what is not visible there yet, empty if nothing."""

    surface: str
    what: str
    digest: str
    pending: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """Every surface, read back."""

    held: tuple[VerifiedItem, ...]

    @property
    def summary(self) -> str:
        """The number of items read back, in one line."""
        pending = sum(bool(held.pending) for held in self.held)
        return f"{count_of(len(self.held), 'item')} read back" + (f", {pending} still pending" if pending else "")
