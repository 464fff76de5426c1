"""``unmoor plan``: what a release would do, and what is already true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Say what a release would do, and what is already true. Reads only.",
    epilog=examples("unmoor plan v1.2.3", "unmoor plan --json v1.2.3"),
)
@target_options()
@json_option
def command(*, target: TargetOptions, as_json: bool) -> int:
    """Say what releasing TAG would do, and what is already true.

    Everything is read, nothing is written. Without TAG it is the tag on HEAD; in GitHub Actions the
    tag of the run. A credential that is missing is listed and does not stop the plan.

    The JSON has a schema: `unmoor schema plan`.
    """
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli import output, session
    from unmoor.cli.run_options import RunOptions
    from unmoor.core.stage import Reach
    from unmoor.render import words

    asked = RunOptions(target=target, ceiling=Reach.READS, as_json=as_json, quiet=True)
    with Processes() as processes:
        opened = session.open_session(asked, processes)
        report = session.run_session(opened, asked, processes)
        code = session.finish(report, opened, asked)
    if not as_json:
        rows = [
            (each.info.name, each.info.reach.name.lower(), words.state(each.outcome), words.text(each.outcome))
            for each in report.stages
        ]
        for line in output.aligned(("stage", "reach", "state", "what"), rows):
            click.echo(line)
    return code
