"""One run of the pipeline, from what the flags said to the exit code; every command that runs stages comes here."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import click

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.assembly import assemble
from unmoor.ci.github_actions import RunContext
from unmoor.cli import exit_codes, image_selection, output
from unmoor.cli.image_selection import ImageSelection
from unmoor.cli.resolve_project import ResolvedTarget, open_world, read_sources, resolve_target
from unmoor.cli.run_options import RunOptions
from unmoor.core.events import Report
from unmoor.core.journal import FileJournal, NoJournal
from unmoor.core.pipeline import Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Reach
from unmoor.errors import Refused
from unmoor.images import legs
from unmoor.ports.services import Services
from unmoor.ports.world import World
from unmoor.release_request import ReleaseRequest
from unmoor.render import words
from unmoor.util.filelock import exclusive_lock
from unmoor.util.files import sha256_of
from unmoor.util.text import clean

LOCAL_REPOSITORY = "local/rehearsal"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything a run needs, put together; nothing has been made yet."""

    request: ReleaseRequest
    world: World
    services: Services
    pipeline: Pipeline


def open_session(asked: RunOptions, processes: Processes) -> Session:
    """Find out what is meant, and put it together. Reads only. Raises what each of them raises."""
    sources = read_sources(asked.target.config)
    return open_resolved(
        asked, resolve_target(asked.target, sources, processes, rehearsing=asked.rehearsing), processes
    )


def open_resolved(asked: RunOptions, target: ResolvedTarget, processes: Processes) -> Session:
    """Put a session together for what was resolved: world, images, services, stages. Reads only."""
    if target.sources.config is not None and not asked.quiet:
        output.err(f"settings: {clean(target.sources.config.origin)}, instead of the commit's own")
    repository = target.repository or (LOCAL_REPOSITORY if asked.rehearsing else "")
    world = open_world(asked.target.world, target, repository=repository)
    images = image_selection.configured(
        target.settings,
        target.checkout,
        target.commit,
        repository=world.forge.repository,
        without=asked.without_images or "images" in asked.skip,
    )
    platforms = image_selection.for_platforms(images, asked.platforms)
    world = image_selection.reached(world, images)
    services = create_services(world, asked.target.folder, processes, path=target.checkout.path)
    images = image_selection.possible(images, world, services.engine if asked.engine else None)
    for why in images.left_out:
        output.err(f"warning: {why}")
    request = _request(asked, target, world, images, platforms)
    return Session(request=request, world=world, services=services, pipeline=assemble(request, services))


def _request(
    asked: RunOptions, target: ResolvedTarget, world: World, images: ImageSelection, platforms: tuple[str, ...]
) -> ReleaseRequest:
    return ReleaseRequest(
        settings=target.settings,
        folder=RunFolder.of(target.checkout.folder, target.tag),
        ceiling=asked.ceiling,
        tag=target.tag,
        named=target.named,
        repository=world.forge.repository,
        commit=target.ci.commit_of(target.tag),
        real=asked.target.world is None and not asked.rehearsing,
        images=images.images,
        platforms=platforms,
        keep_images=asked.keep_images,
        local_prefix=asked.local_prefix,
        legs=asked.legs,
        secrets=images.secrets,
        site=world.forge.site,
        skipped=asked.skip,
        published=asked.target.world is not None or not asked.rehearsing,
        settings_origin=target.sources.config.origin if target.sources.config is not None else "",
        prebuilt=asked.prebuilt,
        handed=bool(asked.handed),
        any_platform=world.takes_any_platform(staged=target.settings.testpypi != "off"),
    )


def run_session(session: Session, asked: RunOptions, processes: Processes) -> Report:
    """Run the pipeline to its end; a lock and a journal are there from the moment that something may be made."""
    workspace = Workspace(session.request.folder) if asked.ceiling > Reach.READS else None
    _require_manifest(session.request.folder, asked.manifest_sha256)
    with processes.guarded(), workspace or nullcontext():
        if workspace and (asked.handed or asked.legs):
            workspace.enter()
            _take_over(session.request.folder, asked)
        return Run(
            pipeline=session.pipeline,
            world=session.world.name,
            rehearsal=session.world.rehearsal,
            ceiling=asked.ceiling,
            listeners=output.listeners(
                RunContext.from_environ(os.environ),
                progress=output.progress_option(as_json=asked.as_json, quiet=asked.quiet),
                folder=session.request.folder,
            ),
            journal=workspace.journal if workspace else NoJournal(),
            until=asked.until,
            deadline=session.request.settings.deadline,
            enter_workspace=workspace.enter if workspace else lambda: None,
            check=processes.check,
            stop=processes.stop,
        ).execute()


def _take_over(folder: RunFolder, asked: RunOptions) -> None:
    """Bring what other machines built into the run's folder."""
    if asked.handed:
        folder.take(asked.handed)
    if asked.legs:
        legs.join(folder, asked.legs)


class Workspace(ExitStack):
    """What a run needs before it makes anything: the folder, its lock, and the journal. Entered once."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self._folder = folder
        self._entering = threading.Lock()
        self._entered = False
        self.journal = FileJournal(folder.journal)

    def enter(self) -> None:
        """Make the folder, take the lock, start the journal. Raises `Refused` where another run holds the lock."""
        with self._entering:
            if not self._entered:
                self._folder.open()
                self.enter_context(exclusive_lock(self._folder.path))
                self.journal.start()
                self._entered = True


def _require_manifest(folder: RunFolder, expected: str) -> None:
    """See that the run folder is the one that an earlier job handed over."""
    if not expected:
        return
    seen = sha256_of(folder.manifest) if folder.manifest.exists() else "no manifest"
    if seen != expected.lower():
        raise Refused(
            f"the manifest is not the one that was handed over: expected sha256 {expected}, found {seen}",
            where=str(folder.manifest),
            next_step="hand over the whole folder .unmoor/<tag> of the job that built and tested the files",
        )


def run(asked: RunOptions) -> int:
    """Open a session, run it, say how it ended, and return the exit code."""
    with Processes() as processes:
        session = open_session(asked, processes)
        require_until(session.pipeline, asked.until)
        report = run_session(session, asked, processes)
        return finish(report, session, asked)


def require_until(pipeline: Pipeline, until: tuple[str, ...]) -> None:
    """Raise a usage error for a stage that does not exist here."""
    for name in until:
        if name not in pipeline.names:
            raise click.UsageError(f"there is no stage {name!r} here; the stages are: {', '.join(pipeline.names)}")


def finish(report: Report, session: Session, asked: RunOptions) -> int:
    """Write the data to stdout, the closing words to stderr, and return the exit code."""
    if asked.as_json:
        from unmoor.render.document import document

        echo_json(
            document(
                report,
                world=session.world.name,
                rehearsal=session.world.rehearsal,
                ceiling=asked.ceiling.name.lower(),
            )
        )
    elif asked.ceiling > Reach.READS:
        for line in output.table(report):
            click.echo(line)
    tag = session.request.tag
    again = asked.same(tag) if words.failures(report) else asked.again or asked.further(tag)
    code = output.close(report, ceiling=asked.ceiling, again=again)
    for error in output.faults(report):
        output.err(f"the traceback is in {exit_codes.traceback_path(error, session.request.folder.journal)}")
    if code == 0 and report.product("verify") is not None:
        what = "the rehearsal went through" if session.world.rehearsal else "released"
        output.err(f"{what}: {tag} is on every surface, read back by digest")
    return code


def echo_json(value: Any) -> None:
    """Write one JSON document to stdout, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
