"""``unmoor doctor``: report this machine, in one block to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Report this machine, without secrets, in one block to paste.",
    epilog=examples(
        "unmoor doctor",
        "unmoor doctor --world w.toml",
        "unmoor doctor --strict          in a script: exit 10 if a surface does not answer",
    ),
)
@target_options(tag=False, config=False)
@click.option(
    "--strict", is_flag=True, help="Exit 10 if a surface does not answer, or if a fact is unknown. The default is 0."
)
@json_option
def command(*, target: TargetOptions, strict: bool, as_json: bool) -> int:
    """Report versions, programs, the engine, memory, disks, the CI job, every surface, and the credentials.

    The report is for a bug report: paste it as it is. It says where a credential was found, never what
    it is. The home directory is "~", your user name is "USER", and addresses have no logins. The
    repository is not named, but the hosts of a private world are.

    All facts are looked up at the same time, and each has 5 seconds. One that cannot be determined says
    "unknown". The surfaces get one request each, which changes nothing and carries no credential; only
    the question for the repository carries the token. Nothing is written.

    The exit code is 0 whatever the report says, unless --strict is given.
    """
    from unmoor.cli.doctor_run import run

    return run(target, strict=strict, as_json=as_json)
