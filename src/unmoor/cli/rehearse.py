"""``unmoor rehearse``: run a whole release against a local world."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import file_options, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import FileOptions, TargetOptions


class RehearseCommand(GroupedCommand):
    """The command ``unmoor rehearse`` with its options in groups."""

    groups: ClassVar = {
        "What to rehearse": ("folder", "path", "config"),
        "Files built by another job or tool": ("built", "dists", "manifest", "digests"),
        "Container images": ("without_images", "legs"),
    }


@click.command(
    cls=RehearseCommand,
    short_help="Run a whole release against servers on this machine.",
    epilog=examples(
        "unmoor rehearse",
        "unmoor rehearse v2.0.0rc1",
        "unmoor rehearse --without-images",
        "unmoor rehearse --built wheelhouse    with wheels that cibuildwheel has built",
    ),
)
@target_options(world=False)
@file_options
@click.option(
    "--without-images", is_flag=True, help="Skip container images, for example if there is no container engine."
)
@json_option
def command(*, target: TargetOptions, files: FileOptions, without_images: bool, as_json: bool) -> int:
    """Run the whole release of TAG against servers on this machine.

    The rehearsal starts a local world: two package indexes, a GitHub API, a git remote and, if the
    project has images, a container registry. They refuse what the real servers refuse. Every stage
    of a release runs against them, including those that cannot be taken back.

    TAG does not have to exist. It defaults to the version in the project's files, or to the next
    version if another commit already has that tag. If the version comes from tags, TAG defaults to
    the tag on HEAD, or to the next version. A missing tag is created in a clone. With --built, TAG
    defaults to the version of the files; with --dists, to the tag that they were built for.

    The indexes accept wheels for any platform, with a warning about those that PyPI refuses, such as
    a wheel that this machine has built for itself.

    Your checkout does not change. The files of the local world stay in .unmoor/rehearsal/ until the
    next rehearsal. Images that were built are removed from the container engine at the end; its
    build cache stays.
    """
    from unmoor.cli.rehearse_run import run

    if without_images and files.legs:
        raise click.UsageError("--without-images and --leg cannot be used together: --leg is for images")
    return run(target, files, without_images=without_images, as_json=as_json)
