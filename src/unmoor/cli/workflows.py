"""``unmoor workflows``: write, check and list the workflows of GitHub Actions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.group(short_help="Write, check and list the workflows of GitHub Actions.")
def command() -> None:
    """Write the workflows of GitHub Actions that test and release a project, and keep them right."""


_names = click.argument("names", metavar="[FILE]...", nargs=-1)


@command.command(
    short_help="Write the workflows.",
    epilog=examples(
        "unmoor workflows write                              all files",
        "unmoor workflows write release                      release.yml only",
        "unmoor workflows write bench metrics upkeep watch   the optional files",
        "unmoor workflows write --dry-run                    show what would change",
    ),
)
@_names
@target_options(tag=False, world=False)
@click.option("--dry-run", is_flag=True, help="Print what would change as a diff, and write nothing.")
@click.option("--replace", is_flag=True, help="Replace files of these names that unmoor did not write.")
@click.option(
    "--tool",
    metavar="LIST",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take this list of versions and hashes to install unmoor from, instead of compiling one from the index.",
)
def write(*, names: tuple[str, ...], target: TargetOptions, dry_run: bool, replace: bool, tool: Path | None) -> int:
    """Write the workflows for the project as it is now: its files and settings in the work tree.

    FILE is the name of a file, such as release or release.yml. The default is the files that unmoor wrote before, or
    all of them if there are none. Either all files are written or, if anything is wrong, none.

    Four files are optional, and written only if they are named or there: bench.yml compares the benchmarks of pull
    requests, metrics.yml keeps figures of all runs, upkeep.yml updates the lock and cleans up each week, and watch.yml
    looks for releases that drifted.

    Jobs that you have added stay as they are, and so do newer pins of actions and newer versions of unmoor. Other
    changes to what unmoor wrote are undone, each with a line that says so.
    """
    from unmoor.cli.workflows_write import run

    return run(target, names, dry_run=dry_run, replace=replace, tool=tool)


@command.command(
    short_help="Compare the workflows with what unmoor would write.",
    epilog=examples("unmoor workflows check", "unmoor workflows check release"),
)
@_names
@target_options(tag=False, world=False)
@json_option
def check(*, names: tuple[str, ...], target: TargetOptions, as_json: bool) -> int:
    """Compare the workflows in the work tree with what unmoor would write now, by their meaning.

    Newer pins and newer versions of unmoor pass; another major version is a warning. Comments, order and jobs that
    you have added do not matter. FILE is as in `unmoor workflows write`.

    The exit code is 0 if nothing differs, 9 if something does, and 12 if a file is missing.
    """
    from unmoor.cli.workflows_check import run

    return run(target, names, as_json=as_json)


@command.command("list", short_help="List the workflows and their jobs.", epilog=examples("unmoor workflows list"))
@target_options(tag=False, world=False)
@json_option
def list_(*, target: TargetOptions, as_json: bool) -> int:
    """List the files that `unmoor workflows write` writes, their jobs, and what each job may do."""
    from unmoor.cli.workflows_check import run_list

    return run_list(target, as_json=as_json)
