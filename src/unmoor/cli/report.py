"""``unmoor report``: show a release, as Markdown or as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import digest_option, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Show a release: what is where, tests, images, signatures.",
    epilog=examples(
        "unmoor report v1.2.3                       print it as Markdown",
        "unmoor report v1.2.3 --html report.html    write a page",
        "unmoor report --open                       write a page and open it in a browser",
    ),
)
@target_options()
@click.option(
    "--html",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write one page of HTML: no script, and it loads nothing. - is stdout.",
)
@click.option("--open", "opens", is_flag=True, help="Write the page into .unmoor/TAG and open it in a browser.")
@digest_option
@json_option
def command(*, target: TargetOptions, file: Path | None, opens: bool, digests: tuple[str, ...], as_json: bool) -> int:
    """Show the release of TAG by what every surface holds.

    That is: files and images by digest, tests and the bytes that they were run on, layers and sizes, the
    notes as published, signatures and who made them, approvals, waived gates, and the versions of tools.

    The surfaces are compared with the manifest as in "unmoor status", and signatures are checked as in "unmoor
    verify", which downloads the files. What only the run knew, such as when each stage began, is read from the
    journal in .unmoor/TAG if the run was on this machine. What is not known is named, with the reason. Nothing
    counts that is not vouched for.

    Without --html or --open, the report is printed as Markdown. Every release and rehearsal also writes such a page
    when it ends: .unmoor/TAG/report.html and .unmoor/rehearsal/report.html. No page contains secrets or the path of
    your home directory.

    The exit code is that of "unmoor status": 0 if everything is complete, 12 if something is missing, 9 if a digest
    differs, and 10 if something cannot be read.
    """
    from unmoor.cli.report_run import run

    if opens and file is not None:
        raise click.UsageError("--html and --open cannot be used together: --open writes into .unmoor/TAG")
    if as_json and (opens or file is not None):
        raise click.UsageError("--json prints the report: it cannot be used together with --html or --open")
    return run(target, file=file, opens=opens, digests=digests, as_json=as_json)
