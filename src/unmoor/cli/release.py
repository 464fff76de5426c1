"""``unmoor release``: run the release of a tag."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import file_options, json_option, target_options
from unmoor.cli.skip import skippable

if TYPE_CHECKING:
    from unmoor.cli.run_options import FileOptions, TargetOptions


_LEG_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ReleaseCommand(GroupedCommand):
    """The command ``unmoor release`` with its options in groups."""

    groups: ClassVar = {
        "What to release, and where to": ("folder", "path", "world", "config"),
        "How far to go": ("dry_run", "hold", "until", "skip", "no_project_code"),
        "Files built by another job or tool": ("built", "dists", "manifest", "digests", "leg_name"),
        "Container images": ("platforms", "keep_images", "legs"),
        "In an emergency": ("emergency", "waive", "confirm"),
    }


def _read_leg_name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Refuse a name that cannot be part of the name of a step output."""
    if value and _LEG_NAME.fullmatch(value) is None:
        raise click.BadParameter("use only letters, digits, '-' and '_'")
    return value


@click.command(
    cls=ReleaseCommand,
    short_help="Release a tag, or continue a release that failed.",
    epilog=examples(
        "unmoor release v1.2.3                   release",
        "unmoor release --dry-run v1.2.3         build and test only",
        "unmoor release --hold v1.2.3            stop before anything that cannot be taken back",
        "unmoor release --world w.toml v1.2.3    release to other servers",
    ),
)
@target_options()
@click.option(
    "--until",
    metavar="STAGE",
    multiple=True,
    help="Run this stage and the stages that it needs, then stop. Can be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Build and test on this machine, and publish nothing.")
@click.option("--hold", is_flag=True, help="Stop before the first stage that cannot be taken back.")
@file_options
@click.option(
    "--skip",
    metavar="STAGE",
    multiple=True,
    help="Skip an optional stage: testpypi, prove-testpypi or images; or a deployment that another job checks and"
    " makes: space, service or announce. Can be repeated.",
)
@click.option(
    "--no-project-code",
    is_flag=True,
    help="Never build, import or test the project, for a job that has credentials. If files or a proof of other jobs"
    " are missing, stop and name the job that makes them.",
)
@click.option("--keep-images", is_flag=True, help="Also save the built images in .unmoor/TAG, for a later job.")
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH",
    multiple=True,
    help="Build images only for this platform, such as linux/arm64. Can be repeated.",
)
@click.option(
    "--leg-name",
    metavar="NAME",
    default="",
    callback=_read_leg_name,
    help="In a matrix of GitHub Actions: end the names of the step outputs with -NAME, so that no leg overwrites"
    " those of another.",
)
@click.option(
    "--emergency",
    metavar="REASON",
    help="Release by hand, although something does not pass or a workflow cannot run. The reason, your name and what"
    " was waived become a part of the release.  [env: UNMOOR_EMERGENCY]",
)
@click.option(
    "--waive",
    metavar="GATE",
    multiple=True,
    help="Let the release go on if this does not pass: tests, smoke, scans, staging, reproducibility, attestations or"
    " run-check. It still runs where it can. Can be repeated.  [env: UNMOOR_WAIVE]",
)
@click.option(
    "--confirm",
    metavar="VERSION",
    help="Confirm the emergency release of this version, where no person can type it.  [env: UNMOOR_CONFIRM]",
)
@json_option
def command(
    *,
    target: TargetOptions,
    until: tuple[str, ...],
    files: FileOptions,
    leg_name: str,
    platforms: tuple[str, ...],
    skip: tuple[str, ...],
    no_project_code: bool,
    emergency: str | None,
    waive: tuple[str, ...],
    confirm: str | None,
    keep_images: bool,
    dry_run: bool,
    hold: bool,
    as_json: bool,
) -> int:
    """Release TAG: build, test, draft, upload, publish and verify.

    TAG defaults to the tag of the run in GitHub Actions, and to the tag on HEAD elsewhere. The files
    and the settings are those of the tag's commit, whatever is checked out.

    If a release fails, run the same command again. Every stage first compares digests with what is
    already there, and does only what is missing.
    """
    from unmoor.cli import session
    from unmoor.cli.emergency import read_options
    from unmoor.cli.run_options import RunOptions
    from unmoor.core.stage import Reach

    if dry_run and hold:
        raise click.UsageError("--dry-run and --hold cannot be used together: --dry-run publishes nothing")
    ceiling = Reach.LOCAL if dry_run else Reach.REMOTE if hold else Reach.FINAL
    return session.run(
        RunOptions(
            target=target,
            ceiling=ceiling,
            until=until,
            as_json=as_json,
            files=files,
            leg_name=leg_name,
            platforms=platforms,
            skip=skippable(skip),
            keep_images=keep_images,
            no_project_code=no_project_code,
            emergency=read_options(emergency, waive, confirm, os.environ),
            reports_as="release",
        )
    )
