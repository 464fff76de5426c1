"""How a stage ended: sibling types, matched exhaustively; no bool results, no ``None`` meaning three things."""

from __future__ import annotations

from dataclasses import dataclass

from unmoor.errors import UnmoorError


@dataclass(frozen=True)
class Made:
    """The stage brought its product about."""

    product: object


@dataclass(frozen=True)
class Found:
    """The world already held the product: nothing was done."""

    product: object


@dataclass(frozen=True)
class Planned:
    """The stage lies above the ceiling, or stands on one that does; ``plan`` says what it would touch."""

    plan: str


@dataclass(frozen=True)
class Skipped:
    """The stage was left out, and why: by name, or since something it needs is missing."""

    why: str


@dataclass(frozen=True)
class Failed:
    """The stage raised. ``begun``: while it made its product, of which a part may be there."""

    error: UnmoorError
    begun: bool = False


Outcome = Made | Found | Planned | Skipped | Failed
