"""``unmoor check``: what is wrong with a repository, before anything is committed, tagged or released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


class CheckCommand(GroupedCommand):
    """Shows the options in groups."""

    groups: ClassVar = {
        "What runs": ("full", "access", "coverage", "staged", "select", "ignore", "list_checks"),
        "Output": ("as_json", "sarif"),
    }


@click.command(
    cls=CheckCommand,
    short_help="Check a repository before a commit or a release.",
    epilog=examples(
        "unmoor check                           before a release",
        "unmoor check --staged                  before a commit",
        "unmoor check --full                    with what costs: installs, imports, rehearses",
        "unmoor check --access                  what the forge and the indexes allow",
        "unmoor check --coverage coverage.xml   whether the tests cover enough",
        "unmoor check --select version          one check",
    ),
)
@target_options(tag=False)
@click.option("--full", is_flag=True, help="Also resolve the requirements, import the modules and rehearse a release.")
@click.option(
    "--access", is_flag=True, help="Also ask the forge and the indexes about tokens, publishers, rules. Only reads."
)
@click.option(
    "--coverage",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also compare this coverage.xml with the threshold.",
)
@click.option("--staged", is_flag=True, help="Check the files in git's index, which the next commit takes.")
@click.option(
    "--select", metavar="ID", multiple=True, help="Run only this check or group. Can be repeated or take ID,ID."
)
@click.option("--ignore", metavar="ID", multiple=True, help="Leave out this check or group, in the same way.")
@click.option("--list", "list_checks", is_flag=True, help="List the checks, and run none.")
@json_option
@click.option(
    "--sarif",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the findings to this file as SARIF 2.1.0, which code scanning takes.",
)
def command(*, target: TargetOptions, **options: Any) -> int:
    """Check a repository: its files, its metadata, its version and its workflows.

    Without options only what is fast runs: it reads files and git, and runs linters that are installed. It needs no
    network, imports nothing and runs no code of the project.

    A critical check that finds something fails the command; others warn. A check that cannot answer is unknown, which
    is no pass. The exit code is 0 if all critical checks passed and none is unknown, 4 if one failed, and 10 if one is
    unknown.
    """
    from unmoor.cli.check_run import CheckOptions, run, run_list

    for name in ("select", "ignore"):
        options[name] = tuple(_split(options[name]))
    if options.pop("list_checks"):
        return run_list(as_json=options["as_json"])
    return run(target, CheckOptions(**options))


def _split(values: tuple[str, ...]) -> list[str]:
    return [word.strip() for value in values for word in value.split(",") if word.strip()]
