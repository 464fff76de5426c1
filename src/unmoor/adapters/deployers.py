"""Open what deployments talk to, in one world. Nothing of a deployment is imported before a stage opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.service_ports import ServiceOpener
from unmoor.ports.announcer import Announcer
from unmoor.ports.clock import Clock
from unmoor.ports.deployers import Deployers
from unmoor.ports.docs_service import DocsService
from unmoor.ports.pages import PagesBranch
from unmoor.ports.space_hub import SpaceHub
from unmoor.ports.world import AnnouncePlace, ReadTheDocsPlace, SpacePlace, World

if TYPE_CHECKING:
    from unmoor.adapters.engine import DockerEngine
    from unmoor.adapters.http.session import BoundedSession


def open_deployers(
    world: World, *, git: GitCheckout, shell: LocalShell, http: BoundedSession, clock: Clock, engine: DockerEngine
) -> Deployers:
    """Return what opens the services of deployments."""

    def open_announcer(place: AnnouncePlace, targets: Mapping[str, str]) -> Announcer:
        from unmoor.adapters.announce.pool import ApprisePool

        return ApprisePool.of(place, targets, shell, os.environ, rehearsal=world.rehearsal, patience=world.patience)

    def open_pages(branch: str) -> PagesBranch:
        from unmoor.adapters.git.pages import GitPages

        return GitPages(
            checkout=git.at(""),
            remote=world.remote,
            branch=branch,
            site=world.forge.site,
            repository=world.forge.repository,
            token=world.forge.login.secret,
        )

    def open_docs_service(place: ReadTheDocsPlace, slug: str) -> DocsService:
        from unmoor.adapters.readthedocs import ReadTheDocs

        return ReadTheDocs(place.address, slug, place.login.secret, http, clock)

    def open_space(place: SpacePlace, repo: str) -> SpaceHub:
        from unmoor.adapters.hub import HubSpace

        return HubSpace(place, repo, http, clock)

    opener = ServiceOpener(world=world, engine=engine, processes=shell.processes, clock=clock)
    return Deployers(
        service=opener,
        announcer=partial(open_announcer, world.announce) if world.announce is not None else None,
        pages=open_pages,
        docs_service=partial(open_docs_service, world.readthedocs) if world.readthedocs is not None else None,
        space=cache(partial(open_space, world.space)) if world.space is not None else None,
    )
