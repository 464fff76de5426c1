"""What a YAML file is made of besides plain values: mappings with comments, and lists on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Commented(msgspec.Struct, frozen=True):
    """A mapping with comments. ``beside`` a key they end its line; ``above`` it they have lines of their own.

    A line above a key that is empty is a blank one. ``indent`` is that of the lines above.
    """

    pairs: Mapping[str, Any]
    beside: Mapping[str, str] = msgspec.field(default_factory=dict)
    above: Mapping[str, str] = msgspec.field(default_factory=dict)
    indent: int = 0


class Flow(msgspec.Struct, frozen=True):
    """A list of texts on one line."""

    items: tuple[str, ...]


class Braces(msgspec.Struct, frozen=True):
    """An empty mapping that is meant, such as no permission at all."""
