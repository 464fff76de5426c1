"""``unmoor release``: the pipeline against a world."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options
from unmoor.cli.skip import skippable

if TYPE_CHECKING:
    from unmoor.artifacts.merge import Handover
    from unmoor.cli.run_options import TargetOptions


class ReleaseCommand(GroupedCommand):
    """The command, its options by what they are about."""

    groups: ClassVar = {
        "What to release, and where to": ("folder", "path", "world", "config"),
        "How far to go": ("until", "dry_run", "hold", "skip"),
        "Files of another job or tool": ("built", "dists", "manifest", "manifest_sha256"),
        "Images": ("platforms", "keep_images", "legs"),
    }


@click.command(
    cls=ReleaseCommand,
    short_help="Release a tag. Run it again after a failure: it goes on from what is there.",
    epilog=examples(
        "unmoor release v1.2.3                    the real world",
        "unmoor release --hold v1.2.3             all that can be taken back",
        "unmoor release --world w.toml v1.2.3     a world of your own",
    ),
)
@target_options()
@click.option(
    "--until",
    metavar="STAGE",
    multiple=True,
    help="Bring about this stage and only what it needs, then stop. Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Build, check and prove on this machine; send nothing anywhere.")
@click.option("--hold", is_flag=True, help="Do everything that can be taken back; stop before the point of no return.")
@click.option(
    "--manifest-sha256",
    metavar="HEX",
    default="",
    help="Refuse to go on unless the manifest in .unmoor/TAG has this sha256 (a job's hand-over).",
)
@click.option(
    "--dists",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Take over the files that another job built and tested, instead of building them: its folder .unmoor/TAG, or"
    " one with its files and their manifest. Repeated, the files of all those jobs are one release.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="The manifest that names the files of --dists, one each in their order.  [default: manifest.json in it]",
)
@click.option(
    "--built",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Take the files that another tool, such as cibuildwheel, has just built here, instead of building them.",
)
@click.option(
    "--skip",
    metavar="STAGE",
    multiple=True,
    help="Leave out an optional channel: testpypi, prove-testpypi or images. Repeatable.",
)
@click.option("--keep-images", is_flag=True, help="Put the built images into .unmoor/TAG too, for a later job.")
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH",
    multiple=True,
    help="Build images for this platform alone, such as linux/arm64. Repeatable.",
)
@click.option(
    "--leg",
    "legs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Take over the images that another machine built, from its .unmoor/TAG. Repeatable.",
)
@json_option
def command(
    *,
    target: TargetOptions,
    until: tuple[str, ...],
    manifest_sha256: str,
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
    """Release TAG: build, check, prove, draft, upload, publish, verify.

    A named tag is released from anywhere, with the settings of its own commit. In GitHub Actions
    TAG comes from the run by itself. After a failure run the same command again: every stage first
    looks at the world by digest, and what is there is not done again.
    """
    from unmoor.cli import session
    from unmoor.cli.run_options import RunOptions
    from unmoor.core.stage import Reach

    if dry_run and hold:
        raise click.UsageError("--dry-run and --hold exclude each other: the first sends nothing, the second does")
    if built is not None and dists:
        raise click.UsageError("--built and --dists exclude each other: files of this job, or of others")
    ceiling = Reach.LOCAL if dry_run else Reach.REMOTE if hold else Reach.FINAL
    return session.run(
        RunOptions(
            target=target,
            ceiling=ceiling,
            until=until,
            as_json=as_json,
            manifest_sha256=manifest_sha256,
            handed=_handed(dists, manifest),
            prebuilt=built,
            platforms=platforms,
            skip=skippable(skip),
            keep_images=keep_images,
            legs=legs,
        )
    )


def _handed(dists: tuple[Path, ...], manifest: tuple[Path, ...]) -> tuple[Handover, ...]:
    """Pair the folders with their manifests: one each, or none, since each lies in its folder."""
    from unmoor.artifacts.merge import Handover

    if manifest and len(manifest) != len(dists):
        raise click.UsageError(f"--manifest is given {len(manifest)} times and --dists {len(dists)} times: one each")
    return tuple(Handover.of(folder, said) for folder, said in zip_longest(dists, manifest))
