"""The stages that ``--skip`` accepts."""

from __future__ import annotations

import click

from unmoor.util.text import clean

OPTIONAL = ("announce", "images", "prove-testpypi", "service", "space", "testpypi")
"""The optional stages, and the deployments, which another job may check and make. No other stage needs them."""


def skippable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stages to skip, sorted, each once. Raises a usage error for a stage that is not optional."""
    for name in names:
        if name not in OPTIONAL:
            raise click.UsageError(
                f"{clean(name, 40)!r} cannot be skipped: it is a check, or a later stage needs it; the optional stages"
                f" are: {', '.join(OPTIONAL)}"
            )
    return tuple(sorted(set(names)))
