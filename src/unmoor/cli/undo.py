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
        "unmoor undo --only docs --apply v1.2.3",
    ),
)
@target_options()
@click.option(
    "--only",
    type=click.Choice(("docs", "space", "service")),
    multiple=True,
    help="Take back only this deployment: what users saw before comes back, and the release stays. Can be repeated.",
)
@click.option("--apply", is_flag=True, help="Apply the changes (the default is a dry run).")
def command(*, target: TargetOptions, only: tuple[str, ...], apply: bool) -> int:
    """Take back what the release of TAG left on the surfaces, as far as possible.

    The command reads the surfaces and nothing else, so it also takes back what a run left that was
    stopped. By default nothing is changed: it lists what it finds and what would become of it. With
    the option --apply it does just that.

    What was deployed goes first: documentation, a Space and services become what they were before.

    While the index holds some files of the release but not all, the draft and the images stay: they
    are the only way to finish it. For everything that stays, the command says why and what you can do.

    The exit code is 0 if nothing is left but what nothing can remove, 12 if something else is left,
    and that of the error if a surface cannot be read or changed.
    """
    from unmoor.cli.undo_run import run

    return run(target, only=only, apply=apply)
