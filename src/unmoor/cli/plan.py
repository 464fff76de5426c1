"""``unmoor plan``: show what a release would do and what is already done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Show what a release would do, without changing anything.",
    epilog=examples("unmoor plan v1.2.3", "unmoor plan --json v1.2.3"),
)
@target_options()
@json_option
def command(*, target: TargetOptions, as_json: bool) -> int:
    """Show what releasing TAG would do and what is already done, without changing anything.

    TAG defaults to the tag of the run in GitHub Actions, and to the tag on HEAD elsewhere. The plan
    lists missing credentials and continues without them.

    `unmoor schema plan` prints the schema of the JSON output.
    """
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli import output, session
    from unmoor.cli.run_options import RunOptions
    from unmoor.core.stage import Reach
    from unmoor.render import words

    options = RunOptions(target=target, ceiling=Reach.READS, as_json=as_json, quiet=True)
    with Processes() as processes:
        opened = session.open_session(options, processes)
        report = session.run_session(opened, options, processes)
        code = session.finish(report, opened, options)
    if not as_json:
        rows = [
            (each.info.name, each.info.reach.name.lower(), words.state(each.outcome), words.text(each.outcome))
            for each in report.stages
        ]
        for line in output.align_columns(("stage", "reach", "state", "what"), rows):
            click.echo(line)
    return code
