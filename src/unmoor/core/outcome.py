"""How a stage ended: sibling types, matched exhaustively; no bool results, no ``None`` meaning three things.

``state`` is what JSON and the journal call it: a class may change its name, a document may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unmoor.errors import UnmoorError


@dataclass(frozen=True)
class Made:
    """The stage brought its product about."""

    state: ClassVar[str] = "made"

    product: object


@dataclass(frozen=True)
class Found:
    """The world already held the product: nothing was done."""

    state: ClassVar[str] = "found"

    product: object


@dataclass(frozen=True)
class Planned:
    """The stage lies above the ceiling, or stands on one that does; ``plan`` says what it would touch."""

    state: ClassVar[str] = "planned"

    plan: str


@dataclass(frozen=True)
class Skipped:
    """The stage was left out, and why: by name, or since something it needs is missing."""

    state: ClassVar[str] = "skipped"

    why: str


@dataclass(frozen=True)
class Failed:
    """The stage raised. ``begun``: while it made its product, of which a part may be there."""

    state: ClassVar[str] = "failed"

    error: UnmoorError
    begun: bool = False


Outcome = Made | Found | Planned | Skipped | Failed
