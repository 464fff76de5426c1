"""``unmoor undo``: honest about what cannot be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Take back what can be taken back, and say what cannot.",
    epilog=examples("unmoor undo v1.2.3            what would be done", "unmoor undo --apply v1.2.3    do it"),
)
@target_options()
@click.option("--apply", "really", is_flag=True, help="Do it. Without this it is only said.")
def command(*, target: TargetOptions, really: bool) -> int:
    """Take back what a release of TAG left outside this machine, as far as that can be done.

    Without --apply nothing is changed: what is out there is listed, with what would be done about
    it. What cannot be taken back is named with the steps that a person can take.
    """
    from unmoor.cli.undo_run import run

    return run(target, really=really)
