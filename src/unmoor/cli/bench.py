"""``unmoor bench``: compare the benchmarks of two commits, and say on a pull request what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.target_options import TargetOptions


@click.group(short_help="Compare the benchmarks of two commits.")
def command() -> None:
    """Compare the time and memory that two commits need, measured side by side on this machine."""


@command.command(
    short_help="Compare HEAD with another commit.",
    epilog=examples(
        "unmoor bench compare                         with where this branch left the default branch",
        "unmoor bench compare --against v1.2.3        with a release",
        "unmoor bench compare --report REPORT.json    also write the report for another job",
    ),
)
@click.option(
    "--against",
    metavar="REF",
    help="Compare with this commit, branch or tag.  [default: the merge base with the default branch]",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this file, as JSON for: unmoor bench comment.",
)
@target_options(tag=False)
@json_option
def compare(*, against: str | None, report: Path | None, target: TargetOptions, as_json: bool) -> int:
    """Compare the benchmarks of HEAD with those of another commit.

    Both commits are built and installed side by side, with the same versions of everything else. Then
    they run by turns, each round a fresh process of both in an order that a coin decides, until the
    spread shows whether one is slower. Whatever seems slower is measured again, with the folders
    swapped.

    The exit code is 18 if a benchmark is slower by the threshold or more, and 8 if one fails. Noise
    never fails: it is reported with the smallest slow-down that this run would have shown.
    """
    from unmoor.cli.bench_run import run

    return run(target, against=against, report=report, as_json=as_json)


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
