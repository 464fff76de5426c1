"""Run ``unmoor images``: plan the tags, build and test the images of HEAD, push those of a branch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.factory import create_services
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.untagged import UntaggedCheckout, VersionEdit
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli import branch_report, image_selection, output, session
from unmoor.cli.branch_pipeline import BranchBuild, assemble_branch
from unmoor.cli.branch_report import BranchRun
from unmoor.cli.image_context import ImageContextOptions, tag_context
from unmoor.cli.image_selection import ImageSelection
from unmoor.cli.push_rules import refuse_push
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.session import Session
from unmoor.core.stage import Reach
from unmoor.errors import ConfigError, Refused
from unmoor.filesystem import commands
from unmoor.filesystem.safe_folder import OWN
from unmoor.images import image_record
from unmoor.images.branch_tags import BranchTarget, branch_targets
from unmoor.images.image_names import LOCAL
from unmoor.images.tags import TagContext
from unmoor.ports.services import Services
from unmoor.ports.world import World
from unmoor.products import Release
from unmoor.project import guess_version, read_facts, read_version
from unmoor.project.locate import naming_at
from unmoor.project.other_versions import same_versions
from unmoor.project.releasable import refuse_shallow
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace
from unmoor.versioning import pep440
from unmoor.versioning.development import development_version

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
            commit = _Commit.read(options, context, processes)
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


class _Commit(msgspec.Struct, frozen=True, kw_only=True):
    """HEAD: the project and its settings there, and what it would be as a release, without the version."""

    project: ResolvedProject
    provisional: Release
    start: str
    edit: VersionEdit

    @classmethod
    def read(cls, options: ImagesOptions, context: TagContext, processes: Processes) -> _Commit:
        """Read HEAD's commit. Raises `Refused` if there is none, or if its images must not be pushed."""
        target, ci = options.target, RunContext.from_environ(os.environ)
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=None)
        head = checkout.head()
        if head is None:
            raise Refused("there is no commit yet", where=str(checkout.folder), next_step=advice.COMMIT_SOMETHING())
        project = resolve_project(checkout, head, sources, ci)
        if options.push:
            refuse_push(project, head, context, real=target.world is None)
        refuse_shallow(checkout)
        for path in checkout.changed():
            output.err(f"warning: not part of the images, since it is not committed: {clean(path)}")
        naming = naming_at(checkout, head, sources)
        tags = {name: commit for name, commit in checkout.tags().items() if commit != head}
        prefix = naming.new_prefix(tags)
        read = partial(checkout.read, head)
        origin = sources.config.origin if sources.config is not None else ""
        provisional = Release(
            repository=project.repository,
            project=read_facts(read, project=project.settings.project).name,
            tag="",
            version="",
            commit=head,
            date=checkout.date_of(head),
            prerelease=True,
            highest=False,
            prefix=prefix,
            path=checkout.path,
            settings=origin,
        )
        released = pep440.release_tags(tags, prefix=prefix).values()
        edit = _edit(checkout, head, tuple(released)) if options.built is None else VersionEdit(places=(), version="")
        return cls(project=project, provisional=provisional, start=pep440.tag_start(tags, prefix=prefix), edit=edit)


def _edit(checkout: GitCheckout, head: str, released: Sequence[Version]) -> VersionEdit:
    """What to write into clones of HEAD so that its version is not that of a release. Raises `Refused`."""
    read = partial(checkout.read, head)
    written, scm = read_version(read)
    written = written or (None if scm else guess_version(read))
    if written is None:
        return VersionEdit(places=(), version="")
    stated = pep440.version_in(written.text)
    if stated is None:
        raise Refused(
            f"{clean(written.text, 60)!r} is not a version (PEP 440)",
            where=str(written),
            next_step=advice.GIVE_DEVELOPMENT_VERSION(),
        )
    version = development_version(stated, head, released)
    if version == stated:
        return VersionEdit(places=(), version="")
    places = same_versions(read, checkout.files(head), written)
    output.err(f"{list_some(list(map(str, places)), 3)}: the images get version {version} instead of {stated}")
    return VersionEdit(places=places, version=str(version))


def _open(
    commit: _Commit, options: ImagesOptions, context: TagContext, processes: Processes
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
    world: World, commit: _Commit, options: ImagesOptions, processes: Processes
) -> tuple[Services, UntaggedCheckout]:
    """The services of the run, whose clones have no tag on the commit."""
    folder, path = options.target.folder, commit.project.checkout.path
    services = create_services(world, folder, processes, path=path, sends=options.push)
    git = UntaggedCheckout(folder, services.shell, world.remote, path=path, environ=os.environ, edit=commit.edit)
    return replace(services, git=git), git


def _request(
    commit: _Commit, options: ImagesOptions, world: World, images: ImageSelection, platforms: tuple[str, ...]
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
