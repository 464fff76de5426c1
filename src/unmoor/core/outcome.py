"""How a stage ended: sibling types, matched exhaustively.

``state`` is the name in JSON and in the journal, kept separate from the class name so that a class can be renamed.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from unmoor.errors import UnmoorError


class Made(msgspec.Struct, frozen=True):
    """The stage made its product."""

    state: ClassVar[str] = "made"

    product: object


class Found(msgspec.Struct, frozen=True):
    """The world already held the product; nothing was done."""

    state: ClassVar[str] = "found"

    product: object


class Planned(msgspec.Struct, frozen=True):
    """The stage reaches beyond the ceiling, or depends on one that does. ``plan`` says what it would do."""

    state: ClassVar[str] = "planned"

    plan: str


class Skipped(msgspec.Struct, frozen=True):
    """The stage did not run because something it needs is missing. ``why`` says what."""

    state: ClassVar[str] = "skipped"

    why: str


class Failed(msgspec.Struct, frozen=True):
    """The stage failed. ``begun``: it was making its product, so part of it may exist."""

    state: ClassVar[str] = "failed"

    error: UnmoorError
    begun: bool = False


Outcome = Made | Found | Planned | Skipped | Failed
