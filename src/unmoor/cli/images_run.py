"""Run ``unmoor images``: plan the tags, build and test the images of HEAD, push those of a branch."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.adapters.factory import create_services
from unmoor.adapters.git.untagged import UntaggedCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import branch_report, image_selection, output, session
from unmoor.cli.branch_pipeline import BranchBuild, assemble_branch
from unmoor.cli.branch_report import BranchRun
from unmoor.cli.head_commit import HeadCommit
from unmoor.cli.image_context import ImageContextOptions, tag_context
from unmoor.cli.image_selection import ImageSelection
from unmoor.cli.push_rules import refuse_push
from unmoor.cli.resolve_project import ResolvedProject, open_world
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.session import Session
from unmoor.core.stage import Reach
from unmoor.errors import ConfigError
from unmoor.filesystem import commands
from unmoor.filesystem.safe_folder import OWN
from unmoor.images import image_record
from unmoor.images.branch_tags import BranchTarget, branch_targets
from unmoor.images.image_names import LOCAL
from unmoor.images.tags import TagContext
from unmoor.ports.services import Services
from unmoor.ports.world import World
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace

FOLDER = "images"
"""The run folder in ``.unmoor``, which no tag can have."""


class ImagesOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command."""

    target: TargetOptions
    push: bool
    platforms: tuple[str, ...] = ()
    built: Path | None = None
    ref: str | None = None
    as_json: bool = False

    @property
    def command(self) -> str:
        """The command line of this run."""
        words = [*self.target.arguments(), *(["--push"] if self.push else [])]
        words += [word for platform in self.platforms for word in ("--platform", platform)]
        words += ["--built", str(self.built)] if self.built else []
        return commands.join(["unmoor", "images", *words, *(["--ref", self.ref] if self.ref else [])])

    @property
    def ceiling(self) -> Reach:
        """How far the run reaches."""
        return Reach.REMOTE if self.push else Reach.LOCAL


def run(
    target: TargetOptions,
    *,
    push: bool,
    platforms: tuple[str, ...],
    built: Path | None,
    ref: str | None,
    as_json: bool,
) -> int:
    """Build, test and, with ``push``, push. Print the images on stdout, and return the exit code."""
    options = ImagesOptions(target=target, push=push, platforms=platforms, built=built, ref=ref, as_json=as_json)
    context = _context(options)
    with Processes() as processes:
        with processes.guarded():
            commit = _read_head(options, context, processes)
            opened, targets = _open(commit, options, context, processes)
        if not opened.request.images:
            return 0  # the warnings said why
        run_options = RunOptions(
            target=target, ceiling=options.ceiling, as_json=as_json, command=options.command, platforms=platforms
        )
        report = session.run_session(opened, run_options, processes)
        ran = BranchRun(report=report, targets=targets, context=context, pushed=push)
        return branch_report.finish(ran, opened, run_options)


def _context(options: ImagesOptions) -> TagContext:
    """What the tags are planned for: the run of GitHub Actions, else the checkout. Raises as `tag_context` does."""
    asked = ImageContextOptions(folder=options.target.folder, ref=options.ref)
    return tag_context(asked, os.environ, wants_commit_date=True)


def _read_head(options: ImagesOptions, context: TagContext, processes: Processes) -> HeadCommit:
    """Read HEAD's commit. Raises `Refused` if there is none, or if its images must not be pushed."""

    def check(project: ResolvedProject, head: str) -> None:
        if options.push:
            refuse_push(project, head, context, real=options.target.world is None)

    return HeadCommit.read(options.target, processes, of="the images", check=check, built_here=options.built is None)


def _open(
    commit: HeadCommit, options: ImagesOptions, context: TagContext, processes: Processes
) -> tuple[Session, tuple[BranchTarget, ...]]:
    """Open the session: world, images, tags, services and stages. Only reads, apart from old images of the engine."""
    target, project, provisional = options.target, commit.project, commit.provisional
    world = open_world(target.world, project, repository=project.repository)
    provisional = replace(provisional, repository=world.forge.repository)
    images = image_selection.select_configured(
        project.settings, project.checkout, provisional.commit, repository=world.forge.repository, without=False
    )
    if not images.images:
        raise ConfigError(
            "this project has no image", where=str(project.checkout.folder), next_step=advice.CONFIGURE_IMAGE()
        )
    platforms = image_selection.require_platforms(images, options.platforms)
    world = image_selection.with_registries_of(world, images)
    services, git = _services(world, commit, options, processes)
    images = image_selection.skip_unbuildable(images, world, services.engine, services.system)
    for each in images.left_out:
        output.err(f"warning: skipping {each.what}: {each.why}")
    request = _request(commit, options, world, images, platforms)
    targets = branch_targets(images.images, request.image_plans(services), provisional, context)
    for warning in dict.fromkeys(warning for each in targets for warning in each.tags.warnings):
        output.err(f"warning: {clean(warning)}")
    _forget_other_commits(request, services, provisional.commit)
    build = BranchBuild(
        provisional=provisional,
        start=commit.start,
        precedes=git.precedes,
        targets=targets if options.push else None,
    )
    pipeline = assemble_branch(request, services, build)
    return (
        Session(request=request, world=world, services=services, pipeline=pipeline, left_out=images.left_out),
        targets,
    )


def _services(
    world: World, commit: HeadCommit, options: ImagesOptions, processes: Processes
) -> tuple[Services, UntaggedCheckout]:
    """The services of the run, whose clones have no tag on the commit."""
    folder, path = options.target.folder, commit.project.checkout.path
    services = create_services(world, folder, processes, path=path, sends=options.push)
    git = UntaggedCheckout(folder, services.shell, world.remote, path=path, environ=os.environ, edit=commit.edit)
    return replace(services, git=git), git


def _request(
    commit: HeadCommit, options: ImagesOptions, world: World, images: ImageSelection, platforms: tuple[str, ...]
) -> ReleaseRequest:
    checkout, repository = commit.project.checkout.folder, world.forge.repository
    notebook = StateNotebook.of(repository, FOLDER, commit.provisional.commit, checkout=checkout)
    if notebook.problem:
        output.err(f"warning: what this run writes will not be remembered: {clean(notebook.problem, limit=500)}")
    folder = RunFolder(checkout / OWN / FOLDER, Belief(notebook=notebook))
    return ReleaseRequest(
        tag="",
        named=False,
        repository=repository,
        settings=commit.project.settings,
        folder=folder,
        ceiling=options.ceiling,
        real=options.target.world is None,
        images=images.images,
        platforms=platforms,
        local_prefix=f"{LOCAL}/branch-{sha256(os.fsencode(folder.path)).hexdigest()[:12]}",
        secrets=images.secrets,
        site=world.forge.site,
        settings_origin=commit.provisional.settings,
        prebuilt=options.built,
    )


def _forget_other_commits(request: ReleaseRequest, services: Services, commit: str) -> None:
    """Remove the images of other commits from the engine, which earlier runs in this checkout left there."""
    record = image_record.read_record(request.folder)
    if record is None or record.commit != commit:
        image_selection.forget_images(services.engine, request.local_prefix)
