"""``unmoor clean``: delete images that no tag needs any more, and what runs of workflows left on the forge."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import Age, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.group(short_help="Delete images, artifacts and caches that nothing needs (a dry run without --apply).")
def command() -> None:
    """Delete what builds left on container registries and on the forge."""


class CleanImages(GroupedCommand):
    """The command ``unmoor clean images`` with its options in groups."""

    groups: ClassVar = {
        "Where to look": ("folder", "path", "world", "images"),
        "What to delete": ("keep", "older_than", "protect", "also", "apply"),
    }


@command.command(
    cls=CleanImages,
    short_help="Delete images that no tag needs (a dry run without --apply).",
    epilog=examples("unmoor clean images", "unmoor clean images --keep 5 --older-than 2w --apply"),
)
@click.option(
    "--keep",
    type=click.IntRange(0),
    metavar="COUNT",
    default=10,
    show_default=True,
    help="Keep this many of the newest images that could be deleted.",
)
@click.option(
    "--older-than",
    type=Age(),
    default="30d",
    show_default=True,
    help="Delete only what is older than this, such as 30d, 12h or 2w.",
)
@click.option(
    "--protect",
    multiple=True,
    metavar="PATTERN",
    help="Never delete tags that match this pattern, such as 'pr-1*'. Can be repeated.",
)
@click.option(
    "--also",
    multiple=True,
    metavar="PATTERN",
    help="Also delete tags that match this pattern, besides sha-* and pr-*. Can be repeated.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME",
    help="Clean this image instead of the project's images. Can be repeated.",
)
@click.option("--apply", is_flag=True, help="Delete the images (the default is a dry run).")
@target_options(tag=False, config=False)
@json_option
def images(
    *,
    keep: int,
    older_than: float,
    protect: tuple[str, ...],
    also: tuple[str, ...],
    images: tuple[str, ...],
    target: TargetOptions,
    apply: bool,
    as_json: bool,
) -> int:
    """Delete old tags of commits and pull requests (sha-*, pr-*) and the images that no remaining tag needs.

    By default nothing is deleted: the command lists what it would delete and why it keeps the rest.

    Every other tag stays, together with the platforms, signatures and attestations that belong to
    it. An image that cannot be read also stays, and so does everything that it may need. On GHCR the
    command deletes package versions, on other registries manifests by digest.
    """
    from unmoor.cli.clean_run import run
    from unmoor.images.sweep import PASSING, RetentionRules

    rules = RetentionRules(keep=keep, older_than=older_than, passing=(*PASSING, *also), protect=protect)
    return run(rules, target, images, apply=apply, as_json=as_json)


_older_than = click.option(
    "--older-than",
    type=Age(),
    default="7d",
    show_default=True,
    help="Delete only what is older than this, such as 7d, 12h or 2w.",
)
_apply = click.option("--apply", is_flag=True, help="Delete them (the default is a dry run).")


@command.command(
    short_help="Delete old artifacts of runs that ended (a dry run without --apply).",
    epilog=examples("unmoor clean artifacts", "unmoor clean artifacts --older-than 2w --apply"),
)
@_older_than
@_apply
@target_options(tag=False, config=False)
@json_option
def artifacts(*, older_than: float, target: TargetOptions, apply: bool, as_json: bool) -> int:
    """Delete the artifacts that runs of workflows uploaded, once they are old.

    By default nothing is deleted: the command lists what it would delete and why it keeps the rest.

    The artifacts of a run that has not ended stay, however old they are: a release may wait for its approval for
    weeks. So do those of a tag without a public release, since a later run may need what a failed one handed over.
    What is unknown about an artifact is a reason to keep it. Runs are never deleted.
    """
    from unmoor.cli.clean_leftovers import run

    return run("artifacts", target, older_than=older_than, apply=apply, as_json=as_json)


@command.command(
    short_help="Delete caches that no run used for long (a dry run without --apply).",
    epilog=examples("unmoor clean caches", "unmoor clean caches --older-than 2w --apply"),
)
@_older_than
@_apply
@target_options(tag=False, config=False)
@json_option
def caches(*, older_than: float, target: TargetOptions, apply: bool, as_json: bool) -> int:
    """Delete the caches of workflows that no run restored for long.

    By default nothing is deleted: the command lists what it would delete and why it keeps the rest.

    On each branch, tag and open pull request, the newest cache of each kind stays, where digests and numbers at the
    end of a key do not count. On a branch that is gone, or a pull request that is closed, none stays: no run can
    restore it.
    """
    from unmoor.cli.clean_leftovers import run

    return run("caches", target, older_than=older_than, apply=apply, as_json=as_json)
