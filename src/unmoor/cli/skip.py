"""Which stages a release may do without."""

from __future__ import annotations

import click

from unmoor.util.text import clean

OPTIONAL = ("images", "prove-testpypi", "testpypi")
"""The stages that a release may do without: nothing after them stands on what they give."""


def skippable(names: tuple[str, ...]) -> tuple[str, ...]:
    """The stages to leave out, sorted, each once. Raises a usage error for one that a release cannot do without."""
    for name in names:
        if name not in OPTIONAL:
            raise click.UsageError(
                f"{clean(name, 40)!r} cannot be skipped: it checks what is released, or later stages need what it"
                f" gives; only optional channels can: {', '.join(OPTIONAL)}"
            )
    return tuple(sorted(set(names)))
