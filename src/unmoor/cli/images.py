"""``unmoor images``: build and test the images of a branch or pull request, and push those of a branch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


class ImagesCommand(GroupedCommand):
    """The command ``unmoor images`` with its options in groups."""

    groups: ClassVar = {
        "What to build": ("platforms", "built", "ref"),
        "Where it goes": ("push", "world"),
        "Project and settings": ("folder", "path", "config"),
    }


@click.command(
    "images",
    cls=ImagesCommand,
    short_help="Build and test the images of a branch or pull request.",
    epilog=examples("unmoor images", "unmoor images --push"),
)
@target_options(tag=False)
@click.option("--push", is_flag=True, help="Push the tested images under the tags of the branch.")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS/ARCH",
    help="Build only for this platform. Can be repeated.",
)
@click.option(
    "--built",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Use the wheels in this directory, which another tool such as cibuildwheel has just built.",
)
@click.option(
    "--ref",
    metavar="REF",
    help="Plan the tags for this full ref, such as refs/heads/main or refs/pull/123/merge. Not with --push.",
)
@json_option
def command(
    *,
    target: TargetOptions,
    push: bool,
    platforms: tuple[str, ...],
    built: Path | None,
    ref: str | None,
    as_json: bool,
) -> int:
    """Build every image of the checked-out commit, and test it, as a release does.

    The images contain the wheel of the commit, whose version is never that of a release, even if
    a tag is on the commit. They get the tags that "unmoor image-tags" plans for the branch or the
    pull request by the rules in the settings, without those that belong to releases.

    With --push, the images of a branch go to the registries, with the logins of a release. Every
    tag is read back by digest. A tag that names the commit never changes, and a branch's tag does
    not move back to an earlier commit. A run for a pull request or a tag is refused, with exit
    code 4.

    In GitHub Actions the digests and tags are outputs of the step (docs/how-to/images.md).
    """
    if push and ref is not None:
        raise click.UsageError("--ref and --push cannot be used together: images are pushed for the branch of the run")
    from unmoor.cli.images_run import run

    return run(target, push=push, platforms=platforms, built=built, ref=ref, as_json=as_json)
