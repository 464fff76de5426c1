"""``unmoor protect``: the rules of the forge for the default branch and the release tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Protect the default branch and the release tags (a dry run without --apply).",
    epilog=examples(
        "unmoor protect                   show what is there and what is missing",
        "unmoor protect --apply           add what is missing",
        "unmoor protect --signed-commits  require signed commits too",
    ),
)
@click.option("--apply", is_flag=True, help="Change the rules (the default is a dry run).")
@click.option(
    "--approvals",
    type=click.IntRange(0, 10),
    metavar="COUNT",
    help="How many people have to approve a pull request.  [default: 1 if somebody else may push, otherwise 0]",
)
@click.option(
    "--signed-commits", is_flag=True, help="Require signed commits, even if some of the recent ones are not signed."
)
@target_options(tag=False)
@json_option
def command(*, apply: bool, approvals: int | None, signed_commits: bool, target: TargetOptions, as_json: bool) -> int:
    """Compare the rules on GitHub with those that keep a release safe, and add what is missing with --apply.

    The default branch changes by pull request, on which `all-checks` has to pass if it has ever reported there. Only
    administrators create release tags, and nobody moves or deletes them.

    Rules that are stricter stay, whoever set them: the command only adds rules to three rulesets of its own, which
    begin with "unmoor:", and never takes any away. It also lists what `cut` and `undo` cannot do under
    these rules.

    To change rules, set GH_TOKEN to a token of an administrator (with Administration: write if it is fine-grained).
    No token of a workflow can do this.
    """
    from unmoor.cli.protect_run import run

    return run(target, apply=apply, approvals=approvals, signed=signed_commits, as_json=as_json)
