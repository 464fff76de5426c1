"""``unmoor world``: run a local world to try things out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import directory_option

if TYPE_CHECKING:
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli.local_servers import LocalServers
    from unmoor.rehearsal.local import LocalWorld


@click.group(short_help="Run local indexes, a GitHub API, a registry and a git remote.")
def command() -> None:
    """Run a local world: two package indexes, a GitHub API, a container registry and a git remote on 127.0.0.1."""


@command.command(
    short_help="Run a local world until Ctrl-C.",
    epilog=examples(
        "unmoor world up --dir w",
        "git push w/remote.git v1.0.0                  in another terminal",
        "unmoor release --world w/world.toml v1.0.0    in that terminal too",
    ),
)
@click.option(
    "--dir",
    "place",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory for the world's files. If it holds a world already, that world continues on its ports."
    "  [default: .unmoor/world]",
)
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    default="",
    help="The name of the repository on the world's GitHub API.  [default: that of the git remote, or local/world]",
)
@click.option(
    "--file-limit",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="The largest file that the indexes accept.  [default: 104857600, as on PyPI]",
)
@directory_option
def up(place: Path | None, repository: str, file_limit: int | None, folder: Path) -> int:
    """Run a local world in the foreground until Ctrl-C.

    The command writes the addresses and throw-away credentials to the file world.toml in --dir, and
    prints its path as soon as the world is ready. In a checkout, the git remote starts as a copy of
    it, and the world also has what the project's deployments and announcements are configured for.
    """
    from unmoor import advice
    from unmoor.adapters.factory import open_checkout
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.artifacts.run_dir import RunFolder
    from unmoor.cli.local_servers import LocalServers
    from unmoor.cli.output import err
    from unmoor.cli.resolve_project import remote_repository
    from unmoor.errors import Interrupted, Refused
    from unmoor.filesystem.locks import exclusive_lock
    from unmoor.filesystem.safe_folder import OWN, make_private, refuse_links
    from unmoor.rehearsal import local

    with Processes() as processes, processes.guarded():
        here = open_checkout(folder, processes)
        try:
            top: Path | None = here.folder
        except Refused:
            top = None
        if top is None and place is None:
            raise click.UsageError("outside a checkout, --dir is required")
        if top is not None:
            refuse_links(top)
        place = (place or (top or folder) / OWN / "world").absolute()
        make_private(place)
        if top is not None and place.parent == top / OWN:
            RunFolder(place).open()
        repository = repository or (remote_repository(here) if top else "") or "local/world"
        besides = _servers_beside(folder, processes) if top else LocalServers()
        with (
            exclusive_lock(place),
            local.start(
                place,
                repository=repository,
                checkout=top,
                file_limit=file_limit,
                registry=True,
                signing=True,
                announce=besides.announce,
                deployments=besides.deployments,
            ) as world,
        ):
            err("the local world is running; press Ctrl-C to stop it")
            for warning in _warnings(world):
                err(f"warning: {warning}")
            click.echo(world.world_file)
            try:
                while world.running():
                    processes.sleep(0.5)
            except Interrupted:
                err(f"the local world has stopped; its files stay in {place}")
                return 0
        raise Refused("the local world stopped unexpectedly", where=str(place), next_step=advice.START_WORLD_AGAIN())


def _warnings(world: LocalWorld) -> Iterator[str]:
    """What of a world is not as it was, or not as it could be."""
    for name, at in (world.addresses | world.registries | world.deployments).items():
        if name in world.moved:
            yield f"another program has taken port {world.moved[name]}: {name} is now at {at}"
    if world.no_registry:
        yield f"there is no container registry: {world.no_registry}"


def _servers_beside(folder: Path, processes: Processes) -> LocalServers:
    """What the settings at HEAD need beside. A world is also for a project whose settings are still to be corrected."""
    from unmoor.cli.local_servers import LocalServers, servers_of
    from unmoor.cli.output import err
    from unmoor.cli.resolve_project import read_sources, resolve_checkout
    from unmoor.cli.target_options import TargetOptions
    from unmoor.errors import ConfigError, Refused
    from unmoor.project.locate import settings_at

    try:
        sources = read_sources()
        here = resolve_checkout(TargetOptions(folder=folder), sources, processes, tag=None)
        return servers_of(settings_at(here, here.head(), sources).settings, os.environ)
    except (ConfigError, Refused) as error:
        err(f"warning: no servers for deployments and announcements: {error.in_brief(where=True)}")
        return LocalServers()
