"""``unmoor release``: run the release of a tag."""

from __future__ import annotations

import os
import re
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options
from unmoor.cli.skip import skippable
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.artifacts.merge import Handover
    from unmoor.cli.run_options import TargetOptions


_LEG_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ReleaseCommand(GroupedCommand):
    """The command ``unmoor release`` with its options in groups."""

    groups: ClassVar = {
        "What to release, and where to": ("folder", "path", "world", "config"),
        "How far to go": ("dry_run", "hold", "until", "skip"),
        "Files built by another job or tool": ("built", "dists", "manifest", "digests", "leg_name"),
        "Container images": ("platforms", "keep_images", "legs"),
    }


def _read_digests(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Read the digests of the option, else those of the variable. A variable that is set but empty is an error."""
    from unmoor.artifacts.belief import VARIABLE, read_digest

    if not values and VARIABLE in os.environ:
        values = tuple(os.environ[VARIABLE].split()) or ("",)
    try:
        return tuple(map(read_digest, values))
    except ValueError as error:
        raise click.BadParameter(f"{clean(str(error))}; the run that made the document printed it") from error


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
@click.option(
    "--manifest-sha256",
    "digests",
    metavar="HEX",
    multiple=True,
    callback=_read_digests,
    help="Believe the manifest, record of images or proof with this sha256, which the run that made it printed. Give it"
    " once for each document that is handed over, in any order.  [env: UNMOOR_MANIFEST_SHA256]",
)
@click.option(
    "--dists",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Release the files that another job built and tested instead of building them. The directory is that job's"
    " .unmoor/TAG, or holds its files and their manifest. Can be repeated, to release the files of several jobs.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="The manifest of the files in --dists. If used, give one for each --dists, in the same order.  [default:"
    " manifest.json in the directory]",
)
@click.option(
    "--built",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Release the files in this directory, which another tool such as cibuildwheel has just built, instead of"
    " building them.",
)
@click.option(
    "--skip",
    metavar="STAGE",
    multiple=True,
    help="Skip an optional stage: testpypi, prove-testpypi or images. Can be repeated.",
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
    "--leg",
    "legs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Add the images that another machine built, from its .unmoor/TAG. Can be repeated.",
)
@click.option(
    "--leg-name",
    metavar="NAME",
    default="",
    callback=_read_leg_name,
    help="In a matrix of GitHub Actions: end the names of the step outputs with -NAME, so that no leg overwrites"
    " those of another.",
)
@json_option
def command(
    *,
    target: TargetOptions,
    until: tuple[str, ...],
    digests: tuple[str, ...],
    leg_name: str,
    dists: tuple[Path, ...],
    manifest: tuple[Path, ...],
    built: Path | None,
    platforms: tuple[str, ...],
    skip: tuple[str, ...],
    keep_images: bool,
    legs: tuple[Path, ...],
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
    from unmoor.cli.run_options import RunOptions
    from unmoor.core.stage import Reach

    if dry_run and hold:
        raise click.UsageError("--dry-run and --hold cannot be used together: --dry-run publishes nothing")
    if built is not None and dists:
        raise click.UsageError(
            "--built and --dists cannot be used together: --built is for files of this job, --dists for those of others"
        )
    ceiling = Reach.LOCAL if dry_run else Reach.REMOTE if hold else Reach.FINAL
    return session.run(
        RunOptions(
            target=target,
            ceiling=ceiling,
            until=until,
            as_json=as_json,
            digests=digests,
            leg_name=leg_name,
            handed=_handovers(dists, manifest),
            prebuilt=built,
            platforms=platforms,
            skip=skippable(skip),
            keep_images=keep_images,
            legs=legs,
        )
    )


def _handovers(dists: tuple[Path, ...], manifests: tuple[Path, ...]) -> tuple[Handover, ...]:
    """Pair each directory with its manifest. Without ``manifests``, each directory holds its own."""
    from unmoor.artifacts.merge import Handover

    if manifests and len(manifests) != len(dists):
        raise click.UsageError(
            f"--manifest is given {len(manifests)} times and --dists {len(dists)} times: give one --manifest for each"
        )
    return tuple(Handover.of(folder, manifest) for folder, manifest in zip_longest(dists, manifests))
