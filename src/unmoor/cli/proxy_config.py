"""Print the configuration of HAProxy for a service, from the settings of a commit. Asks neither proxy nor engine."""

from __future__ import annotations

import os

import click

from unmoor import advice
from unmoor.adapters.process.places import PROXY_STATE
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.deploy.service.proxy_config import proxy_config
from unmoor.errors import ConfigError
from unmoor.filesystem.layout import PROXY_SOCKET
from unmoor.util.text import clean


def show(name: str, target: TargetOptions) -> int:
    """Print it, with the socket and the state file of the world. Without a tag, the settings are those of HEAD.

    Raises `ConfigError` if the settings have no such service.
    """
    with Processes() as processes:
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=target.tag)
        commit = (checkout.commit_of(target.tag) if target.tag else None) or checkout.head()
        project = resolve_project(checkout, commit, sources, RunContext.from_environ(os.environ))
        settings = project.settings.service.get(name)
        if settings is None:
            known = ", ".join(project.settings.service) or "none"
            raise ConfigError(
                f"there is no table [tool.unmoor.service.{clean(name)}] in the settings; its services are: {known}",
                next_step=advice.CONFIGURE_DEPLOYMENT(table=f"service.{clean(name)}"),
            )
        world = open_world(target.world, project, repository=project.repository, required=False)
    place = world.proxy(name)
    state = place.state if place is not None else ""
    if not state:
        output.err(f"this world names no state file: write state = {PROXY_STATE} or UNMOOR_PROXY_STATE={PROXY_STATE}")
    text = proxy_config(
        name,
        settings.slots,
        backend=name,
        socket=place.socket if place is not None else PROXY_SOCKET,
        state=state or PROXY_STATE,
        check=settings.smoke[0] if settings.smoke else "/",
    )
    click.echo(text, nl=False)
    return 0
