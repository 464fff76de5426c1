"""``unmoor deps``: update the lock of a project, and propose what passed the tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import Age, json_option, target_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unmoor.cli.run_options import TargetOptions


@click.group(short_help="Update uv.lock to what passes the tests, and propose it.")
def command() -> None:
    """Update the lock of a project, uv.lock, and propose what passed the tests as pull requests."""


class _Update(GroupedCommand):
    """The command ``unmoor deps update``, with its options in groups."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {
        "What to update": ("security", "minor", "major", "cool_down"),
        "What happens": ("result", "dry_run"),
    }


@command.command(
    cls=_Update,
    short_help="Update uv.lock to the versions that pass the tests.",
    epilog=examples(
        "unmoor deps update                      security fixes, minor and major updates",
        "unmoor deps update --security           only what fixes known vulnerabilities",
        "unmoor deps update --minor httpx idna   two packages",
        "unmoor deps update --dry-run            list what could be updated",
    ),
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@target_options(tag=False)
@click.option("--security", is_flag=True, help="Update what has known vulnerabilities, to the lowest fixed version.")
@click.option("--minor", is_flag=True, help="Update what keeps its major number, or has a version by the calendar.")
@click.option("--major", is_flag=True, help="Update across major numbers, one package after the other.")
@click.option(
    "--cool-down",
    type=Age(),
    metavar="AGE",
    help="Only versions that were uploaded longer ago than this, such as 14d; 0d for none. Not for --security. "
    " [default: the project's own exclude-newer, or 7d]",
)
@click.option(
    "--result",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the result to this file, for unmoor deps propose.",
)
@click.option("--dry-run", is_flag=True, help="List what could be updated: run no tests and change nothing.")
@json_option
def update(
    *,
    names: tuple[str, ...],
    target: TargetOptions,
    security: bool,
    minor: bool,
    major: bool,
    cool_down: float | None,
    result: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Update uv.lock to the newest versions with which the tests pass.

    Without --security, --minor and --major, all three are tried, in this order. NAME limits that to some packages.

    The tests run in copies of the commit that is checked out, each with a new environment. They must pass with the
    unchanged lock. A batch that fails is halved until the culprits are found; whoever is blamed has failed twice, and
    the other updates stay. Major updates are tried one by one. uv.lock is written once, at the end.

    What the bounds in pyproject.toml hold back is listed, and not edited. The tests are those that a release would
    run: `test-command` and the settings beside it, or else what is found.
    """
    from unmoor.cli.deps_update_run import UpdateOptions, run

    return run(
        target,
        UpdateOptions(
            names=names,
            security=security,
            minor=minor,
            major=major,
            cool_down=cool_down,
            result=result,
            dry_run=dry_run,
            as_json=as_json,
        ),
    )


@command.command(
    short_help="Make a pull request of each group of tested updates.",
    epilog=examples("unmoor deps propose result.json"),
)
@click.argument("result", type=click.Path(path_type=Path, dir_okay=False))
@target_options(tag=False)
@json_option
def propose(*, result: Path, target: TargetOptions, as_json: bool) -> int:
    """Push a branch and open or update a pull request for each group of updates in RESULT.

    RESULT is what `unmoor deps update --result` wrote, perhaps in another job. This command runs no code of the
    project, so its job may have a token that can push. It examines RESULT: only uv.lock changes, by exactly the
    versions that RESULT names, and uv must make the same lock of these.

    Each branch builds on that of the group before: security, minor, major. A branch with commits of others is left as
    it is. A pull request that was closed stays closed until there are other versions. A pull request that a workflow's
    token opens starts no CI, so in GitHub Actions the workflows for pull requests are dispatched.
    """
    from unmoor.cli.deps_propose_run import run

    return run(target, result, as_json=as_json)
