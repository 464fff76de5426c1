"""The base of every table that unmoor reads from TOML."""

from __future__ import annotations

import msgspec


class Table(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A frozen table: keys in kebab-case, and no unknown keys."""
