"""``unmoor plan``: show what a release would do and what is already done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions
    from unmoor.cli.session import Session
    from unmoor.core.events import Report


@click.command(
    short_help="Show what a release would do, without changing anything.",
    epilog=examples("unmoor plan v1.2.3", "unmoor plan --json v1.2.3"),
)
@target_options()
@json_option
def command(*, target: TargetOptions, as_json: bool) -> int:
    """Show what releasing TAG would do and what is already done, without changing anything.

    TAG defaults to the tag of the run in GitHub Actions, and to the tag on HEAD elsewhere. The plan
    lists missing credentials and continues without them. Its last line shows which tests would run,
    with which requirements, and why.

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
        if tests := _tests(opened, report):
            click.echo(f"tests: {tests}")
    return code


def _tests(opened: Session, report: Report) -> str:
    """Which tests would run and why, empty if they would not, or if something is wrong that the run reports."""
    from unmoor.core.outcome import Planned
    from unmoor.dists.testing.suites import describe_suite
    from unmoor.errors import UnmoorError
    from unmoor.products import Release
    from unmoor.project.files import Files
    from unmoor.util.text import clean

    release = report.product("tag")
    if not isinstance(release, Release) or not isinstance(report.outcome("prove-dists"), Planned):
        return ""
    files = Files.at(opened.services.git, release.commit)
    try:
        return clean(describe_suite(opened.request.settings.testing, files, project=release.project), limit=2000)
    except UnmoorError as error:
        return f"cannot be planned: {clean(str(error))}"
