"""``unmoor status``: compare every surface with the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Compare what is published with the manifest, by digest.",
    epilog=examples("unmoor status v1.2.3", "unmoor status --world w.toml v1.2.3"),
)
@target_options()
@click.option("--no-deployments", is_flag=True, help="Do not look at what is deployed, such as documentation.")
@json_option
def command(*, target: TargetOptions, no_deployments: bool, as_json: bool) -> int:
    """Read the tag, the indexes, the GitHub release and the registries, and compare them with the manifest of TAG.

    The manifest is that of .unmoor/TAG if this account wrote it, else the one on the release. One that
    is not vouched for is marked as such. Without a manifest the command shows what is there. Nothing is
    changed.

    The command compares every tag of an image: the tag of the commit, of the version, and floating
    tags such as latest. A floating tag that belongs to a higher version is not a conflict.

    What the settings deploy is listed after the surfaces: its address, what proves it, counts and the time.

    The exit code is 0 if everything is complete, 12 if something is missing, 9 if a digest differs or
    the tag on the remote names another commit, and 10 if something cannot be read. A staging index that
    the settings call advisory does not change the exit code, and neither does an advisory deployment.
    """
    from unmoor.cli.status_run import run

    return run(target, deployments=not no_deployments, as_json=as_json)
