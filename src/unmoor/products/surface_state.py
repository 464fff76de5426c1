"""The state of a file, a tag or a whole surface, compared with what it should hold."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class State(StrEnum):
    """The state of a surface compared with the manifest, the best first.

    ``pending``: everything is there, but installers cannot see all of it yet.
    """

    COMPLETE = "complete"
    PENDING = "pending"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    CONFLICTING = "conflicting"


_BEST_FIRST = tuple(State)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file or tag on one surface.

    ``expected`` is the digest it should have (empty for any), ``seen`` the one it has (``None`` if unknown).
    """

    name: str
    state: State
    expected: str
    seen: str | None
    note: str = ""

    @property
    def shown_digest(self) -> str:
        """The digest that is there, and the one that should be if that is another; ``-`` if none is known."""
        if self.seen is None:
            return "-"
        is_right = self.seen == self.expected or not self.expected
        return self.seen if is_right else f"{self.seen} (expected {self.expected})"


class SurfaceState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one surface. ``note`` gives the reason if it is not about a single item."""

    surface: str
    state: State
    items: tuple[Item, ...] = ()
    note: str = ""
    url: str = ""

    @classmethod
    def of(cls, surface: str, items: Iterable[Item], *, note: str = "", url: str = "") -> SurfaceState:
        """Return a surface in the state of its worst item, or incomplete if there is a note and no item is worse."""
        seen = tuple(items)
        state = worst([*(item.state for item in seen), *([State.INCOMPLETE] if note else [])])
        return cls(surface=surface, state=state, items=seen, note=note, url=url)


def worst(states: Iterable[State]) -> State:
    """Return the worst state: conflicting, then unknown, incomplete, pending, complete. Complete if there are none."""
    return max(states, key=_BEST_FIRST.index, default=State.COMPLETE)
