"""``unmoor metrics``: keep figures about a project and its pipeline, and judge them."""

from __future__ import annotations

from typing import Final

import click

from unmoor.cli.options import Decorator

store_option: Final[Decorator] = click.option(
    "--store",
    metavar="STORE",
    help="Where records are kept, as branch:NAME or folder:PATH, instead of the store in the settings.",
)


@click.group(short_help="Keep figures of runs and measurements, and judge them.")
def command() -> None:
    """Keep figures of runs and measurements for longer than the forge does, and judge them."""
