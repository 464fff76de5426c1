"""``unmoor rehearse``: the release itself, in a local world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Release into a local world: every stage, the irreversible ones too.",
    epilog=examples("unmoor rehearse", "unmoor rehearse v2.0.0rc1", "unmoor rehearse --without-images"),
)
@target_options(world=False)
@click.option("--without-images", is_flag=True, help="Leave container images out, where there is no engine.")
@json_option
def command(*, target: TargetOptions, without_images: bool, as_json: bool) -> int:
    """Rehearse the release of TAG, all of it, on this machine.

    A local world is started: two package indexes, a GitHub API and a git remote, and a container
    registry where the project has images. They refuse what the real ones refuse, and every stage runs
    against them. TAG need not exist: a missing tag is made in the world's own clone only. Without TAG
    it is the version that the project's files say, or the next one if another commit is tagged with
    that; where the version comes from tags, the tag on HEAD or the next version.

    The checkout is not touched. The world's files stay in .unmoor/rehearsal/ until the next one; images
    that were built go from the engine at the end, and the builder's cache stays.
    """
    from unmoor.cli.rehearse_run import run

    return run(target, without_images=without_images, as_json=as_json)
