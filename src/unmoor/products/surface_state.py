"""How what is seen stands to what should be there: of one file or tag, and of a surface as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How one surface stands to the manifest, the best first.

    ``pending``: everything is there, and installers cannot see all of it yet.
    """

    COMPLETE = "complete"
    PENDING = "pending"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    CONFLICTING = "conflicting"


_WORST_LAST = tuple(State)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One file or tag on one surface: the digest it should have (empty: any) and the one that was seen, and a word."""

    name: str
    state: State
    expected: str
    seen: str | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SurfaceState:
    """What one surface holds of the release; ``note`` says why where no single file is to blame."""

    surface: str
    state: State
    items: tuple[Item, ...] = ()
    note: str = ""
    url: str = ""

    @classmethod
    def of(cls, surface: str, items: Iterable[Item], *, note: str = "", url: str = "") -> SurfaceState:
        """A surface that is as its worst item is, and incomplete at best where something is to be said of it."""
        seen = tuple(items)
        state = worst([*(item.state for item in seen), *([State.INCOMPLETE] if note else [])])
        return cls(surface=surface, state=state, items=seen, note=note, url=url)


def worst(states: Iterable[State]) -> State:
    """Return the state that decides: conflicting before unknown before incomplete before pending."""
    return max(states, key=_WORST_LAST.index, default=State.COMPLETE)
