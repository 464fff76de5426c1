"""``unmoor bench``: compare the benchmarks of two commits, and say on a pull request what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.group(short_help="Compare benchmarks of two commits.")
def command() -> None:
    """Compare the benchmarks of two commits on one machine, and say what was found."""


@command.command(
    short_help="Write a report as one comment on a pull request.",
    epilog=examples("unmoor bench comment report.json", "unmoor bench comment --pull-request 12 report.json"),
)
@click.argument("report", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--pull-request",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Comment on this pull request (the default is that of the run in GitHub Actions).",
)
@target_options(tag=False, config=False)
def comment(*, report: Path, pull_request: int | None, target: TargetOptions) -> int:
    """Write the REPORT of `unmoor bench compare` as a comment on a pull request.

    There is one comment: later reports replace its text. It is found by a marker and by its author, so that nobody
    else's comment is changed. The command needs no checkout, and runs nothing of the project, so that its job can have
    the permission `pull-requests: write`, and the job that measures none.

    In a run for a fork, whose token only reads, the report goes into the summary of the job. The exit code is 0
    whatever the report says.
    """
    from unmoor.cli.bench_comment import run

    return run(target, report, pull_request=pull_request)
