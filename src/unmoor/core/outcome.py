"""How a stage ended: sibling types, matched exhaustively.

``state`` is the name in JSON and in the journal, kept separate from the class name so that a class can be renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unmoor.errors import UnmoorError


@dataclass(frozen=True)
class Made:
    """The stage made its product."""

    state: ClassVar[str] = "made"

    product: object


@dataclass(frozen=True)
class Found:
    """The world already held the product; nothing was done."""

    state: ClassVar[str] = "found"

    product: object


@dataclass(frozen=True)
class Planned:
    """The stage reaches beyond the ceiling, or depends on one that does. ``plan`` says what it would do."""

    state: ClassVar[str] = "planned"

    plan: str


@dataclass(frozen=True)
class Skipped:
    """The stage did not run because something it needs is missing. ``why`` says what."""

    state: ClassVar[str] = "skipped"

    why: str


@dataclass(frozen=True)
class Failed:
    """The stage failed. ``begun``: it was making its product, so part of it may exist."""

    state: ClassVar[str] = "failed"

    error: UnmoorError
    begun: bool = False


Outcome = Made | Found | Planned | Skipped | Failed
