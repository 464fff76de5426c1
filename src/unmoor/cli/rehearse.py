"""``unmoor rehearse``: run a whole release against a local world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import file_options, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import FileOptions, TargetOptions


class RehearseCommand(GroupedCommand):
    """The command ``unmoor rehearse`` with its options in groups."""

    groups: ClassVar = {
        "What to rehearse": ("folder", "path", "config"),
        "Files built by another job or tool": ("built", "dists", "manifest", "digests"),
        "Container images": ("without_images", "legs"),
        "Faults": ("chaos", "seed", "rounds", "minutes", "faults", "injections", "from_nothing", "lists"),
    }


@click.command(
    cls=RehearseCommand,
    short_help="Run a whole release against servers on this machine.",
    epilog=examples(
        "unmoor rehearse",
        "unmoor rehearse v2.0.0rc1",
        "unmoor rehearse --without-images",
        "unmoor rehearse --built wheelhouse    with wheels that cibuildwheel has built",
        "unmoor rehearse --chaos               again and again, while servers and the release itself fail",
    ),
)
@target_options(world=False)
@file_options
@click.option(
    "--without-images", is_flag=True, help="Skip container images, for example if there is no container engine."
)
@click.option(
    "--chaos",
    is_flag=True,
    help="Build once, then release in rounds while servers fail and runs are killed, and check what must always hold.",
)
@click.option("--seed", metavar="N", help="Draw the faults from this seed.  [default: a new one, which is printed]")
@click.option("--rounds", type=click.IntRange(min=1), metavar="N", help="Play so many rounds.  [default: 20]")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Play rounds for so long instead."
)
@click.option("--fault", "faults", metavar="NAME", multiple=True, help="Draw only this fault. Can be repeated.")
@click.option(
    "--inject",
    "injections",
    metavar="FAULT@ADDRESS",
    multiple=True,
    help="Play one round with this fault, as it is printed for a round. Can be repeated.",
)
@click.option("--from-nothing", is_flag=True, help="Let the round of --inject build the files itself.")
@click.option("--list", "lists", is_flag=True, help="List the faults of --chaos, and do nothing else.")
@json_option
def command(
    *, target: TargetOptions, files: FileOptions, without_images: bool, chaos: bool, as_json: bool, **drawn: Any
) -> int:
    """Run the whole release of TAG against servers on this machine.

    The rehearsal starts a local world: two package indexes, a GitHub API, a git remote and, if the
    project has images, a container registry. They refuse what the real servers refuse. Every stage
    of a release runs against them, including those that cannot be taken back.

    TAG does not have to exist. It defaults to the version in the project's files, or to the next
    version if another commit already has that tag. If the version comes from tags, TAG defaults to
    the tag on HEAD, or to the next version. A missing tag is created in a clone. With --built, TAG
    defaults to the version of the files; with --dists, to the tag that they were built for.

    The indexes accept wheels for any platform, with a warning about those that PyPI refuses, such as
    a wheel that this machine has built for itself.

    Your checkout does not change. The files of the local world stay in .unmoor/rehearsal/ until the
    next rehearsal. Images that were built are removed from the container engine at the end; its
    build cache stays.

    With --chaos, the release is built and tested once, and then released in rounds, each into a new
    local world. In each round something fails: a server answers late, wrongly or not at all, the run
    is killed, or the tag moves. Then the same command runs without faults until it is done, and what
    must hold of every release is checked. If it does not, the exit code is 19, and the printed
    command plays that round again.
    """
    if without_images and files.legs:
        raise click.UsageError("--without-images and --leg cannot be used together: --leg is for images")
    if chaos or any(drawn.values()):
        return _chaos(target, files, drawn, chaos=chaos, without_images=without_images, as_json=as_json)
    from unmoor.cli.rehearse_run import run

    return run(target, files, without_images=without_images, as_json=as_json)


def _chaos(
    target: TargetOptions,
    files: FileOptions,
    drawn: dict[str, Any],
    *,
    chaos: bool,
    without_images: bool,
    as_json: bool,
) -> int:
    """Check the options of chaos, and play its rounds or list its faults."""
    from unmoor._version import version
    from unmoor.cli import chaos_report
    from unmoor.cli.chaos_options import read_options

    if not chaos:
        given = next(name for name, value in drawn.items() if value)
        option = {"faults": "fault", "injections": "inject", "lists": "list"}.get(given, given.replace("_", "-"))
        raise click.UsageError(f"--{option} is for --chaos")
    if files.arguments():
        raise click.UsageError(
            "--chaos builds the files itself: --built, --dists, --leg and their digests do not go with it"
        )
    if drawn.pop("lists"):
        for line in chaos_report.fault_list():
            click.echo(line)
        return 0
    options = read_options(version, **drawn)
    from unmoor.cli.rehearse_chaos import run

    return run(target, options, without_images=without_images, as_json=as_json)
