"""``unmoor world``: a local world to poke at."""

from __future__ import annotations

from pathlib import Path

import click

from unmoor.cli.help import examples
from unmoor.cli.options import directory_option


@click.group(short_help="Run a local world of your own: indexes, a GitHub API, a registry, a git remote.")
def command() -> None:
    """Run a local world: two package indexes, a GitHub API, a container registry and a git remote on 127.0.0.1."""


@command.command(
    short_help="Start a world and keep it running until Ctrl-C.",
    epilog=examples(
        "unmoor world up --dir w",
        "git push w/remote.git v1.0.0                 in another terminal",
        "unmoor release --world w/world.toml v1.0.0   there, too",
    ),
)
@click.option(
    "--dir",
    "place",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the world keeps its state; the same folder again goes on with it.  [default: .unmoor/world]",
)
@click.option("--repository", metavar="OWNER/NAME", default="", help="The repository's name on the world's forge.")
@click.option(
    "--file-limit",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="The largest file that its indexes take.  [default: 104857600, as PyPI]",
)
@directory_option
def up(place: Path | None, repository: str, file_limit: int | None, folder: Path) -> int:
    """Start a world in the foreground and keep it running until Ctrl-C.

    Its addresses and throw-away credentials are written to DIR/world.toml, whose path is printed
    once the world can be used. In a checkout, the git remote starts as a copy of it.
    """
    from unmoor.adapters.factory import open_checkout
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.artifacts.run_dir import RunFolder
    from unmoor.cli.output import err
    from unmoor.cli.resolve_project import remote_repository
    from unmoor.errors import Interrupted, Refused
    from unmoor.rehearsal import local
    from unmoor.util.filelock import exclusive_lock

    with Processes() as processes, processes.guarded():
        here = open_checkout(folder, processes)
        try:
            top: Path | None = here.folder
        except Refused:
            top = None
        if top is None and place is None:
            raise click.UsageError("outside of a checkout, name a folder for the world: --dir DIR")
        place = (place or (top or folder) / ".unmoor" / "world").absolute()
        if top is not None and place.parent == top / ".unmoor":
            RunFolder(place).open()
        repository = repository or (remote_repository(here) if top else "") or "local/world"
        with (
            exclusive_lock(place),
            local.start(place, repository=repository, checkout=top, file_limit=file_limit, registry=True) as world,
        ):
            err("a local world is up; Ctrl-C ends it")
            if world.no_registry:
                err(f"warning: without a container registry: {world.no_registry}")
            click.echo(world.world_file)
            try:
                while world.running():
                    processes.sleep(0.5)
            except Interrupted:
                err("the world is down; its state stays in the folder")
                return 0
        raise Refused("the world ended by itself", where=str(place), next_step="start it again")
