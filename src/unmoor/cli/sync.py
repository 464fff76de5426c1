"""``unmoor sync``: deploy the files of a commit that is no release, such as each push to the main branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.group(short_help="Deploy the files of a commit that is no release.")
def command() -> None:
    """Deploy the files of a commit that is no release, such as each push to the main branch.

    A project that deploys each push has no use for the same deployment at each release, and the other way round.
    """


@command.command(
    short_help="Commit the files of HEAD to the Space.",
    epilog=examples("unmoor sync space", "unmoor sync space --changed-since HEAD~1"),
)
@target_options(tag=False)
@click.option(
    "--changed-since",
    "since",
    metavar="REV",
    help="Do nothing if no file of the Space has changed since this commit, such as that before a push.",
)
@json_option
def space(*, target: TargetOptions, since: str | None, as_json: bool) -> int:
    """Bring the files of HEAD into the Space, as [tool.unmoor.space] says, and wait until it runs.

    The files are those of the commit, not those in the checkout. They are checked first. A file that fails is left out
    and named; a critical one stops everything. Only what differs is sent, in one commit onto the Space as it was looked
    at, which is tagged before. If the Space does not build or start, it gets its former files back.

    Run the same command again after a failure: it looks first at what is there.
    """
    from unmoor.cli.sync_run import run

    return run(target, since=since, as_json=as_json)
