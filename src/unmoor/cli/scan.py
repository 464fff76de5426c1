"""``unmoor scan``: scan built files for secrets, and what they need for known vulnerabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Scan built files for secrets and known vulnerabilities.",
    epilog=examples("unmoor scan v1.2.3", "unmoor scan --dists dist --sarif scan.sarif"),
)
@target_options()
@click.option(
    "--dists",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Scan the wheels and sdists in this directory instead of those of TAG.",
)
@click.option(
    "--sarif",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the findings to this file, too, as SARIF 2.1.0.",
)
@json_option
def command(*, target: TargetOptions, dists: Path | None, sarif: Path | None, as_json: bool) -> int:
    """Scan the files that were built for TAG, or those in a directory, as a release does.

    The files are searched for secrets on this machine. The names and versions of what the wheels need
    are sent to a service that knows vulnerabilities (docs/how-to/scan.md). Nothing of an
    earlier scan counts.

    The settings are those of the commit of TAG, else of HEAD. With --dists the command works outside
    of a checkout, too, with the default settings or those of --config.

    The exit code is 17 if something is found that the settings require not to be there, and 10 if a
    scan that they require cannot tell. Else it is 0, also if there are warnings.
    """
    from unmoor.cli.scan_run import run

    return run(target, dists=dists, sarif=sarif, as_json=as_json)
