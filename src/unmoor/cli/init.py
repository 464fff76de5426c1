"""``unmoor init``: propose what a repository needs to be released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

PARTS = ("release", "ci", "security", "changelog", "docker", "hooks")


@click.command(
    short_help="Propose what a repository needs to be released.",
    epilog=examples(
        "unmoor init                 the release workflow, and the settings it needs",
        "unmoor init release ci      also the workflow that tests",
        "unmoor init --check         exit code 1 if anything would change",
        "unmoor init | git apply     apply the diff without being asked",
    ),
)
@click.argument("parts", metavar="[PART]...", nargs=-1, type=click.Choice(PARTS))
@target_options(tag=False, world=False)
@click.option("--yes", is_flag=True, help="Write the changes without asking.")
@click.option("--check", "check_only", is_flag=True, help="Write nothing; the exit code is 1 if anything would change.")
@click.option(
    "--tool",
    metavar="LIST",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take this list of versions and hashes to install unmoor from, instead of compiling one from the index.",
)
@json_option
def command(
    *,
    parts: tuple[str, ...],
    target: TargetOptions,
    yes: bool,
    check_only: bool,
    tool: Path | None,
    as_json: bool,
) -> int:
    """Read the project, show what it needs to be released as a diff, and write it after you agree.

    \b
    PART is one or more of:
      release    the release workflow, the list that its jobs install, and those
                 settings that differ from the defaults (this is the default)
      ci         tests on every push and pull request
      security   CodeQL, the review of dependencies, Dependabot
      changelog  towncrier: its table, the folder of fragments, a template
      docker     a Dockerfile with the stages production and development
      hooks      the entry of `unmoor check` for pre-commit

    What the project already does in another way stays as it is, and a line says so. A workflow that publishes is
    replaced: its file name and its environment stay, since the index knows both.

    All changes are written, or none. A file with changes that are not committed is refused. Without a terminal, the
    changes are printed, nothing is written, and the exit code is 0; add --yes to write them. It ends with a list of
    what a person sets up elsewhere.
    """  # noqa: D301 - click reads \b
    from unmoor.cli.init_run import run

    return run(target, parts or PARTS[:1], yes=yes, check_only=check_only, tool=tool, as_json=as_json)
