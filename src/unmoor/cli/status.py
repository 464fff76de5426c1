"""``unmoor status``: every surface compared with the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Compare every surface with the manifest, by digest.",
    epilog=examples("unmoor status v1.2.3", "unmoor status --world w.toml v1.2.3"),
)
@target_options()
@json_option
def command(*, target: TargetOptions, as_json: bool) -> int:
    """Compare every surface with the manifest of TAG, by digest. Reads only.

    Of images every tag is compared: the commit's, the version's own and the floating ones. A floating
    tag that is rightly a higher version's is told, and no conflict.

    The manifest is the one in .unmoor/TAG, else the one on the release. The exit code tells:
    0 complete, 12 incomplete, 9 conflicting, 10 unknown. A staging index that the project's
    settings call advisory is shown and does not count.
    """
    from unmoor.cli.status_run import run

    return run(target, as_json=as_json)
