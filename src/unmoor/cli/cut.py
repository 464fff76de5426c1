"""``unmoor cut``: commit, tag and push a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unmoor.cli.run_options import TargetOptions

_PARTS = ("major", "minor", "patch", "stable", "alpha", "beta", "rc", "post", "dev")


class _Cut(GroupedCommand):
    """The command, with its options in groups."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {
        "The version": ("parts",),
        "What happens": ("tag_merged", "rehearse", "watch", "yes", "dry_run", "no_verify"),
    }


@click.command(
    cls=_Cut,
    epilog=examples(
        "unmoor cut                          the version that the fragments ask for",
        "unmoor cut --dry-run                show the diff and the commands, and do nothing",
        "unmoor cut --bump minor --bump rc   1.2.3 becomes 1.3.0rc1",
        "unmoor cut 2.0.0 --rehearse         rehearse the whole release before the push",
        "unmoor cut --tag                    tag the commit of the merged pull request",
    ),
)
@click.argument("version", required=False)
@target_options(tag=False)
@click.option(
    "--bump",
    "parts",
    multiple=True,
    type=click.Choice(_PARTS),
    help="Raise this part of the version. Can be repeated: minor and rc make 1.3.0rc1 of 1.2.3.",
)
@click.option("--tag", "tag_merged", is_flag=True, help="Tag the commit that merging the release's pull request made.")
@click.option("--rehearse", is_flag=True, help="Rehearse the whole release on the new commit before the push.")
@click.option("--watch", is_flag=True, help="Follow the workflow run of the tag, and start one if none starts.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed without a terminal.")
@click.option("--dry-run", is_flag=True, help="Show the diff and the commands, and change nothing.")
@click.option("--no-verify", is_flag=True, help="Skip git's hooks pre-commit and commit-msg.")
@json_option
def command(
    *,
    version: str | None,
    target: TargetOptions,
    parts: tuple[str, ...],
    tag_merged: bool,
    rehearse: bool,
    watch: bool,
    yes: bool,
    dry_run: bool,
    no_verify: bool,
    as_json: bool,
) -> int:
    """Write the next version, build the changelog, commit, tag, and push branch and tag together.

    Without VERSION and --bump, the version is the one that the files say already if it is not released, or else follows
    from the kinds of the news fragments, from the commits of a project that is set up for Conventional Commits, or from
    the day if the tags are versions by the calendar. In doubt the choices are printed, and the exit code is 2.

    If the branch takes no direct push, a release branch and a pull request are made instead. Merge that, then run
    `unmoor cut --tag`.

    Everything is prepared beside the checkout, with git's hooks. If anything fails before the push, branch, index and
    files are as they were. If the command is stopped after the push, the same command finishes.
    """
    from unmoor.cli.cut_run import CutCommand, run

    if version is not None and parts:
        raise click.UsageError("VERSION and --bump cannot be used together")
    if tag_merged and (parts or rehearse):
        raise click.UsageError(
            "--tag cannot be used with --bump or --rehearse: the version is that of the merged commit"
        )
    return run(
        target,
        CutCommand(
            version=version,
            parts=parts,
            tag_merged=tag_merged,
            rehearse=rehearse,
            watch=watch,
            yes=yes,
            dry_run=dry_run,
            verify=not no_verify,
            as_json=as_json,
        ),
    )
