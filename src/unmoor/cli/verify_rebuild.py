"""``unmoor verify-rebuild``: build a published release again, and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Build a published release again, and compare the bytes.",
    epilog=examples("unmoor verify-rebuild v1.2.3", "unmoor verify-rebuild owner/name@v1.2.3"),
)
@target_options()
@json_option
def command(*, target: TargetOptions, as_json: bool) -> int:
    """Build the commit of TAG here, with the versions in its manifest, and compare with the published files.

    TAG is a tag of the checkout, or OWNER/NAME@TAG of any repository on the forge, which is cloned. The
    command needs no login. It runs the project's build backend, as every installation from an sdist
    does. Nothing is published or changed.

    The exit code is 0 if every file is the same, 8 if one differs, and 10 if it is not known: the commit
    cannot be built here, or another tool built a file. It is 9 if a published file is not the one in
    the manifest, and 12 if there is no public release that unmoor made.
    """
    from unmoor.cli.verify_rebuild_run import run

    return run(target, as_json=as_json)
