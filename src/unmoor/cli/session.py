"""One run of the pipeline, from its options to its exit code. Every command that runs stages uses this module."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any

import click

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.manifest import PROOF, SBOM
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli import deployments, documents, emergency, ended_report, exit_codes, image_selection, output, run_records
from unmoor.cli.image_selection import ImageSelection
from unmoor.cli.opened_run import OpenedRun
from unmoor.cli.resolve_project import ResolvedTarget, open_world, read_sources, resolve_target
from unmoor.cli.run_advice import advise, warn_of_temporary_folder
from unmoor.cli.run_folder import open_folder
from unmoor.cli.run_options import FileOptions, RunOptions
from unmoor.core.events import Report
from unmoor.core.journal import FileJournal, NoJournal
from unmoor.core.outcome import Failed
from unmoor.core.pipeline import Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Reach
from unmoor.errors import UnmoorError
from unmoor.filesystem.commands import sequence
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import remove, removed
from unmoor.filesystem.temporary import sweep_temporary_folders
from unmoor.images import legs
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.ports.world import World
from unmoor.products.proof import REBUILD
from unmoor.release_request import ReleaseRequest
from unmoor.render import words
from unmoor.util.text import clean
from unmoor.util.values import replace

LOCAL_REPOSITORY = "local/rehearsal"
"""The repository of a rehearsal if nothing names one."""


class Session(OpenedRun, frozen=True, kw_only=True):
    """Everything that a run needs. A session has not made anything yet."""

    services: Services

    @property
    def registry(self) -> Callable[[str], Registry]:
        """What opens a registry by the name of an image."""
        return self.services.registry

    @property
    def why_unsigned(self) -> str:
        """Why the files of the release are not signed; empty if they are."""
        return self.request.why_unsigned(self.services)


def open_session(options: RunOptions, processes: Processes) -> Session:
    """Resolve the target of a run and open its session. Only reads, and raises as what it calls."""
    # git answers several questions now, one after the other. Meanwhile a thread loads what asks the servers.
    threading.Thread(target=importlib.import_module, args=("requests",), daemon=True).start()
    sources = read_sources(options.target.config)
    return open_resolved(
        options, resolve_target(options.target, sources, processes, rehearsing=options.rehearsing), processes
    )


def open_resolved(options: RunOptions, target: ResolvedTarget, processes: Processes) -> Session:
    """Open the session of a resolved target: its world, images, services and stages. Only reads.

    Raises `ConfigError` for wrong settings or a wrong world file, `Refused` if the real world has no repository.
    """
    from unmoor.assembly import assemble, assemble_deployments  # every stage of a release, which other runs do without

    if target.sources.config is not None and not options.quiet:
        output.err(f"using the settings in {clean(target.sources.config.origin)} instead of those of the commit")
    repository = target.repository or (LOCAL_REPOSITORY if options.rehearsing else "")
    world = open_world(options.target.world, target, repository=repository).for_tag(target.tag)
    images = image_selection.select_configured(
        target.settings,
        target.checkout,
        target.commit,
        repository=world.forge.repository,
        without=options.without_images or "images" in options.skip,
    )
    platforms = image_selection.require_platforms(images, options.platforms)
    world = image_selection.with_registries_of(world, images)
    services = create_services(
        world,
        options.target.folder,
        processes,
        path=target.checkout.path,
        sends=options.ceiling >= Reach.REMOTE,
    )
    engine = services.engine if options.engine else None
    images = image_selection.skip_unbuildable(images, world, engine, services.system)
    for each in images.left_out:
        output.err(f"warning: skipping {each.what}: {each.why}")
    image_selection.refuse_unused_legs(images, options.files.legs, services.system)
    folder = open_folder(options, target, world, services)
    request = _request(options, target, world, images, platforms, folder=folder)
    request = emergency.begin(request, services, target, options)
    return Session(
        request=request,
        world=world,
        services=services,
        pipeline=(assemble_deployments if options.deploys else assemble)(request, services),
        left_out=images.left_out,
    )


def _request(
    options: RunOptions,
    target: ResolvedTarget,
    world: World,
    images: ImageSelection,
    platforms: tuple[str, ...],
    *,
    folder: RunFolder,
) -> ReleaseRequest:
    return ReleaseRequest(
        settings=target.settings,
        folder=folder,
        ceiling=options.ceiling,
        tag=target.tag,
        named=target.named,
        repository=world.forge.repository,
        commit=target.ci.commit_of(target.tag),
        real=options.target.world is None and not options.rehearsing,
        sign_with=target.settings.sign_with if options.sign_with is None else options.sign_with,
        images=images.images,
        platforms=platforms,
        keep_images=options.keep_images,
        local_prefix=options.local_prefix,
        legs=options.files.legs,
        no_project_code=options.no_project_code,
        holds_services=options.holds_service,
        secrets=images.secrets,
        site=world.forge.site,
        skipped=options.skip,
        whole=not options.until,
        published=options.target.world is not None or not options.rehearsing,
        any_version=options.any_version,
        command=options.release_command(target.tag),
        settings_origin=target.sources.config.origin if target.sources.config is not None else "",
        prebuilt=options.files.prebuilt,
        handed=bool(options.files.handed),
        wheel_platforms=world.wheel_platforms(staged=target.settings.testpypi != "off"),
    )


def run_session(session: OpenedRun, options: RunOptions, processes: Processes) -> Report:
    """Run the pipeline. The run takes its lock and starts its journal before it makes anything."""
    workspace = Workspace(session.request.folder) if options.ceiling > Reach.READS else None
    if workspace:
        warn_of_temporary_folder()
    with processes.guarded(), workspace or nullcontext():
        if workspace and (options.files.handed or options.files.legs):
            workspace.enter()
            _copy_handovers(session.request.folder, options.files)
        journal = workspace.journal if workspace else NoJournal()
        times = ended_report.times_of(options)
        emergency.record(journal, session.request.emergency)
        report = Run(
            pipeline=session.pipeline,
            world=session.world.name,
            rehearsal=session.world.rehearsal,
            ceiling=options.ceiling,
            listeners=(
                *output.listeners(
                    RunContext.from_environ(os.environ),
                    progress=output.progress_option(as_json=options.as_json, quiet=options.quiet),
                ),
                *((times, ended_report.PageLoader()) if times else ()),
            ),
            journal=journal,
            until=_with_manifest(options.until, session.pipeline),
            deadline=session.request.settings.deadline,
            enter_workspace=workspace.enter if workspace else lambda: None,
            lost=workspace.lost if workspace else lambda: None,
            advise=partial(advise, options=options),
            refuse=deployments.refuses(options),
            raise_if_stopped=processes.check,
            stop_programs=processes.stop,
        ).execute()
        report = replace(report, left_out=session.left_out)
        if workspace and not options.deploys:
            report = run_records.with_documents(report, session.request)
        report = emergency.ended(report, session.request.emergency, journal)
        page = ended_report.describe(session, options, report, times, processes) if times else None
        if page and workspace and workspace.is_entered:
            run_records.write_page(page, options.report_folder or session.request.folder.path)
        return run_records.told_actions(report, options, page)


def _with_manifest(until: tuple[str, ...], pipeline: Pipeline) -> tuple[str, ...]:
    """The stages to run until. The proof of the files completes the manifest, so what it lists besides is made too."""
    listed = [name for name in (REBUILD, SBOM) if PROOF in until and name in pipeline.names]
    return tuple(dict.fromkeys((*until, *listed)))


def _copy_handovers(folder: RunFolder, files: FileOptions) -> None:
    """Copy the files and images that other machines built into the run folder."""
    if files.handed:
        folder.take(files.handed)
    if files.legs:
        legs.join(folder, files.legs)


class Workspace(ExitStack):
    """What a run needs before it makes anything: its folder, the lock on it, and the journal."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self._folder = folder
        self._entering = threading.Lock()
        self._is_there: Callable[[], bool] | None = None
        self.journal = FileJournal(folder.journal)

    def enter(self) -> None:
        """Create the folder, take the lock, remove what dead runs left, start the journal. Later calls do nothing.

        Raises `Refused` if another run holds the lock.
        """
        with self._entering:
            if self._is_there is None:
                self._folder.open()
                self._is_there = self.enter_context(exclusive_lock(self._folder.path))
                self._folder.sweep()
                remove(self._folder.path / run_records.REPORT)  # of an earlier run, or of another job
                sweep_temporary_folders()
                self.journal.start()

    @property
    def is_entered(self) -> bool:
        """Whether the folder is there, and nobody removed it since."""
        return self._is_there is not None and self._is_there()

    def lost(self) -> UnmoorError | None:
        """The error if somebody removed or moved the folder while the run used it, ``None`` if it is in its place."""
        if self._is_there is None or self._is_there():
            return None
        return removed(self._folder.path)


def run(options: RunOptions) -> int:
    """Open a session, run it, print the result and return the exit code."""
    with Processes() as processes:
        session = open_session(options, processes)
        require_until(session.pipeline, options.until)
        report = run_session(session, options, processes)
        return finish(report, session, options)


def require_until(pipeline: Pipeline, until: tuple[str, ...]) -> None:
    """Raise a usage error for a stage that this release does not have."""
    for name in until:
        if name not in pipeline.names:
            raise click.UsageError(
                f"there is no stage {name!r}; the stages of this release are: {', '.join(pipeline.names)}"
            )


def finish(report: Report, session: OpenedRun, options: RunOptions) -> int:
    """Print the result on stdout and how the run ended on stderr, and return the exit code.

    The lines on stderr come whatever happens to stdout, or to a report for another program.
    """
    unprinted = _print_result(report, session, options)
    code = _print_ending(report, session, options)
    for error in (*unprinted, *report.unreported):
        output.err("")
        code = code or error.exit_code
        exit_codes.show(error)
    return code


def _print_result(report: Report, session: OpenedRun, options: RunOptions) -> tuple[UnmoorError, ...]:
    """Print the result on stdout. Return the error if that cannot be written, such as for a full disk."""
    try:
        _write_result(report, session, options)
    except OSError as error:
        has_left = exit_codes.reader_has_left(error)  # `unmoor release | head`: the reader has what it wants
        exit_codes.drop_stdout()
        if not has_left:
            return (run_records.failed_at("the standard output", error),)
    return ()


def _write_result(report: Report, session: OpenedRun, options: RunOptions) -> None:
    if options.as_json:
        from unmoor.render.document import document

        echo_json(
            document(
                report,
                world=session.world.name,
                rehearsal=session.world.rehearsal,
                ceiling=options.ceiling.name.lower(),
            )
        )
    elif options.ceiling > Reach.READS:
        for line in output.table(report, with_files=not options.deploys):
            click.echo(line)


def _print_ending(report: Report, session: OpenedRun, options: RunOptions) -> int:
    """Print on stderr how the run ended, and return the exit code."""
    tag = session.request.tag
    failed = [each.outcome.error for each in words.failures(report) if isinstance(each.outcome, Failed)]
    next_command = options.same_command(tag) if failed else options.command or options.release_command(tag)
    if not options.rehearsing and not options.command and (undeployed := deployments.failed_deployments(report)):
        next_command = sequence([options.deploy_command(each, tag) for each in undeployed])
    if options.changed_command and any(not error.retryable for error in failed):
        next_command = options.changed_command
    code = output.print_ending(report, ceiling=options.ceiling, next_command=next_command, rehearsal=options.rehearsing)
    for error in output.internal_errors(report):
        output.err(f"the traceback is in {exit_codes.traceback_path(error, session.request.folder.journal)}")
    line = output.conclusion(report, tag=tag, rehearsal=session.world.rehearsal, unsigned=session.why_unsigned)
    if code == 0 and line:
        output.err(line)
    for name in documents.ON_THE_DRAFT:
        if name in report.documents:
            output.err(f"sha256 of {name}:  {report.documents[name]}")
    return code


def echo_json(value: Any) -> None:
    """Print a value as indented JSON on stdout."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
