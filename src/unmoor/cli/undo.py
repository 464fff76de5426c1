"""``unmoor undo``: take back what a release published, as far as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Take back what a release published, as far as possible.",
    epilog=examples(
        "unmoor undo v1.2.3            show what would be taken back",
        "unmoor undo --apply v1.2.3    take it back",
    ),
)
@target_options()
@click.option("--apply", is_flag=True, help="Apply the changes (the default is a dry run).")
def command(*, target: TargetOptions, apply: bool) -> int:
    """Take back what the release of TAG uploaded and published, as far as possible.

    By default nothing is changed: the command lists what it finds and what it would do. For
    everything that cannot be taken back, it lists the steps that you can take yourself.
    """
    from unmoor.cli.undo_run import run

    return run(target, apply=apply)
