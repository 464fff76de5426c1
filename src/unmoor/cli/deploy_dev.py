"""Run ``unmoor deploy docs --as NAME``: build the documentation of HEAD, and put it online beside the versions."""

from __future__ import annotations

import os

from unmoor import advice
from unmoor.adapters.factory import create_services
from unmoor.adapters.git.untagged import UntaggedCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import session
from unmoor.cli.head_commit import HeadCommit
from unmoor.cli.resolve_project import open_world
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Reach
from unmoor.deploy.docs.layout import require_alias
from unmoor.errors import ConfigError
from unmoor.filesystem import commands
from unmoor.filesystem.safe_folder import OWN
from unmoor.ports.services import Services
from unmoor.project.releasable import refuse_fork
from unmoor.release_request import ReleaseRequest
from unmoor.stages.build_docs import BuildDocs
from unmoor.stages.commit import BuildCommit
from unmoor.stages.commit_dists import TakeCommitDists
from unmoor.stages.docs import DeployDocs
from unmoor.util.values import replace

FOLDER = "docs"
"""The run folder in ``.unmoor``, which no tag can have."""


def run(name: str, target: TargetOptions, *, as_json: bool) -> int:
    """Build the wheel and the documentation of HEAD, and deploy that. Print the result and return the exit code."""
    require_alias(name)
    command = commands.join(["unmoor", "deploy", "docs", "--as", name, *target.arguments()])
    options = RunOptions(target=target, ceiling=Reach.REMOTE, as_json=as_json, command=command, engine=False)
    with Processes() as processes:
        with processes.guarded():
            opened = _open(name, target, processes)
        report = session.run_session(opened, options, processes)
        return session.finish(report, opened, options)


def _open(name: str, target: TargetOptions, processes: Processes) -> session.Session:
    """Open the session. Only reads. Raises `ConfigError` if there is no documentation, or no branch to deploy it to."""
    commit = HeadCommit.read(target, processes, of="the pages", check=lambda _project, _head: None)
    project = commit.project
    if target.world is None:
        refuse_fork(project.checkout, project.repository, project.settings.repository)
    if project.settings.docs is None:
        raise ConfigError(
            "there is no table [tool.unmoor.docs] in the settings of HEAD",
            next_step=advice.CONFIGURE_DEPLOYMENT(table="docs"),
        )
    world = open_world(target.world, project, repository=project.repository)
    provisional = replace(commit.provisional, repository=world.forge.repository)
    path = project.checkout.path
    services = create_services(world, target.folder, processes, path=path)
    git = UntaggedCheckout(target.folder, services.shell, world.remote, path=path, environ=os.environ, edit=commit.edit)
    services = replace(services, git=git)
    checkout = project.checkout.folder
    notebook = StateNotebook.of(world.forge.repository, FOLDER, provisional.commit, checkout=checkout)
    request = ReleaseRequest(
        tag="",
        named=False,
        repository=world.forge.repository,
        settings=project.settings,
        folder=RunFolder(checkout / OWN / FOLDER, Belief(notebook=notebook)),
        ceiling=Reach.REMOTE,
        real=target.world is None,
        site=world.forge.site,
        settings_origin=provisional.settings,
    )
    commit = replace(commit, provisional=provisional)
    pipeline = assemble_dev(request, services, commit, folder=name)
    return session.Session(request=request, world=world, services=services, pipeline=pipeline)


def assemble_dev(request: ReleaseRequest, services: Services, commit: HeadCommit, *, folder: str) -> Pipeline:
    """Put the stages together: as in a release, the documentation is built with the wheel, and then only sent."""
    settings = request.settings.docs
    if settings is None:
        raise ConfigError("there is no table [tool.unmoor.docs]", next_step=advice.CONFIGURE_DEPLOYMENT(table="docs"))
    branches = tuple(each for each in settings.targets if each.startswith("branch:"))
    if not branches:
        raise ConfigError(
            "Read the Docs builds branches by itself, and no branch is in to under [tool.unmoor.docs]",
            next_step=advice.NAME_DOCS_BRANCH(),
        )
    request = replace(request, settings=replace(request.settings, docs=replace(settings, to=branches)))
    run = (request, services)
    build_commit = BuildCommit.of(*run, provisional=commit.provisional, start=commit.start)
    release = build_commit.output
    take_dists = TakeCommitDists.of(request, release=release)
    build_docs = BuildDocs.of(*run, settings=settings, release=release, dists=take_dists.output)
    docs = DeployDocs.of(*run, release=release, docs=build_docs.output, verified=None, folder=folder)
    return Pipeline.of(build_commit, take_dists, build_docs, docs)
