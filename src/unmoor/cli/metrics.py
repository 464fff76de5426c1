"""``unmoor metrics``: keep figures about a project and its pipeline, and judge them."""

from __future__ import annotations

import click


@click.group(short_help="Keep figures of runs and measurements, and judge them.")
def command() -> None:
    """Keep figures of runs and measurements for longer than the forge does, and judge them."""
