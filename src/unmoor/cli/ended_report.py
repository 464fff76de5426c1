"""The report of a run that has just ended: what its stages know, and the little that is read besides.

Nothing more is asked of a server if a stage failed, since the server may be the reason.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from unmoor.ci.github_actions import RunContext
from unmoor.cli.opened_run import OpenedRun
from unmoor.cli.run_options import RunOptions
from unmoor.core.events import Event, Report, StageStarted
from unmoor.core.outcome import Failed
from unmoor.core.stage import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unmoor.adapters.process.supervisor import Processes
    from unmoor.ports.registry import Registry
    from unmoor.ports.world import World
    from unmoor.products import PushedImage
    from unmoor.render.report.model import ReleaseReport, ReportApproval, ReportWriter, UnknownFact
    from unmoor.render.report.of_run import Layers
    from unmoor.render.report.timeline import StageTimes


def times_of(options: RunOptions) -> StageTimes | None:
    """What notes the times of the run, ``None`` if the command leaves no report."""
    if not options.reports_as:
        return None
    from unmoor.render.report.timeline import StageTimes

    return StageTimes()


class PageLoader:
    """A listener that loads what writes the page, once, while another program builds the files.

    Loading takes longer than anything else about the page, and a run has better things to do at its end.
    """

    def __init__(self, load: Callable[[], object] | None = None) -> None:
        self._load: Callable[[], object] | None = load or load_page

    def __call__(self, event: Event) -> None:
        """Begin to load when the files are made."""
        if self._load is not None and isinstance(event, StageStarted) and event.stage == "dists":
            threading.Thread(target=self._load, name="report", daemon=True).start()
            self._load = None


def load_page() -> None:
    """Write the page of nothing. What cannot be loaded fails where it is used, with a message."""
    from unmoor.products.surface_state import State
    from unmoor.render.html import release_page
    from unmoor.render.report.model import ReleaseReport, ReportWriter

    with contextlib.suppress(Exception):
        writer = ReportWriter(version="", command="", machine="", at=0.0)
        release_page.render(
            ReleaseReport(
                project="",
                tag="",
                repository="",
                world="",
                rehearsal=False,
                state=State.UNKNOWN,
                summary="",
                writer=writer,
                notes="-",
            )
        )


def describe(
    opened: OpenedRun, options: RunOptions, report: Report, times: StageTimes, processes: Processes
) -> ReleaseReport | None:
    """Return the report of a run, ``None`` with a warning if that fails: it must not hide how the run ended."""
    from unmoor.cli import output
    from unmoor.util.text import clean

    try:
        return _describe(opened, options, report, times, processes)
    except Exception as error:  # noqa: BLE001 - the release matters more than its report, whatever is wrong with it
        output.err(f"warning: the report of the run could not be made: {clean(str(error), limit=500)}")
        return None


def _describe(
    opened: OpenedRun, options: RunOptions, report: Report, times: StageTimes, processes: Processes
) -> ReleaseReport:
    from unmoor.products import Pushed
    from unmoor.render import words
    from unmoor.render.report.of_run import EndedRun, describe_run

    failed = words.failures(report)
    first = failed[0].outcome if failed else None
    pushed = report.product("registry")
    layers: Layers = {}
    unknown: tuple[UnknownFact, ...] = ()
    if isinstance(pushed, Pushed) and opened.registry is not None and not failed:
        layers, unknown = layers_of(pushed.images, opened.registry)
    approvals, unseen = _approvals(opened.world, options, processes, failed=bool(failed))
    described = describe_run(
        EndedRun(
            report=report,
            tag=opened.request.tag,
            repository=opened.request.repository,
            world=opened.world.name,
            rehearsal=opened.world.rehearsal,
            writer=writer_of(options.reports_as, opened.world),
            exit_code=first.error.exit_code if isinstance(first, Failed) else 0,
            timeline=times.timeline(report),
            layers=layers,
            approvals=approvals,
            unknown=(*unknown, *unseen),
        )
    )
    return for_others(described, opened.world, options)


def for_others(report: ReleaseReport, world: World, options: RunOptions) -> ReleaseReport:
    """Return a report without secrets, and without the places of this machine."""
    from unmoor.diagnostics.privacy import redaction
    from unmoor.filesystem.safe_folder import OWN
    from unmoor.render.report.privacy import scrubbed

    redact = redaction(os.environ, secrets=[each.secret for each in world.logins], users=None)
    here = options.target.folder.resolve()
    # A rehearsal works in a clone inside of the checkout.
    outer = [here.parents[at] for at, part in enumerate(reversed(here.parts)) if part == OWN]
    return scrubbed(report, redact, [here, *outer])


def writer_of(command: str, world: World) -> ReportWriter:
    """Who writes a report: this version, this kind of machine, and the run of the workflow if there is one."""
    import platform

    from unmoor._version import __version__
    from unmoor.adapters.process.system import this_system
    from unmoor.render.report.model import ReportWriter

    context = RunContext.from_environ(os.environ)
    machine = f"{this_system().title} {platform.machine()}, Python {platform.python_version()}"
    page = f"{world.forge.site}/{context.repository}/actions/runs/{context.run}"
    return ReportWriter(
        version=__version__,
        command=command,
        machine=f"GitHub Actions, {machine}" if context.actions else machine,
        at=time.time(),
        run_url=page if context.run and context.repository else "",
    )


def layers_of(
    images: Iterable[PushedImage], registry: Callable[[str], Registry]
) -> tuple[Layers, tuple[UnknownFact, ...]]:
    """The layers of images by digest, and of which images they are not known."""
    from unmoor.images.layers import read_layers
    from unmoor.render.report.model import ReportLayer, ReportPart, UnknownFact

    read = read_layers(images, registry)
    layers = {
        digest: tuple(ReportLayer(digest=each.digest, size=each.size) for each in found)
        for digest, found in read.layers.items()
    }
    unknown = tuple(
        UnknownFact(part=ReportPart.IMAGES, what=f"the layers of {image.name}", why=error.in_brief(where=True))
        for image, error in read.errors
    )
    return layers, unknown


def _approvals(
    world: World, options: RunOptions, processes: Processes, *, failed: bool
) -> tuple[tuple[ReportApproval, ...], tuple[UnknownFact, ...]]:
    """Who approved jobs of this run of a workflow. A run by hand needs nobody's approval."""
    context = RunContext.from_environ(os.environ)
    if not context.run or world.rehearsal or options.ceiling < Reach.REMOTE:
        return (), ()
    from unmoor.render.report.model import ReportPart, UnknownFact

    if failed:
        why = "the run failed, so the forge was not asked"
        return (), (UnknownFact(part=ReportPart.APPROVALS, what="who approved it", why=why),)
    return approvals_of(world, processes, [context.run])


def approvals_of(
    world: World, processes: Processes, runs: Iterable[int]
) -> tuple[tuple[ReportApproval, ...], tuple[UnknownFact, ...]]:
    """Who approved or rejected jobs of some runs, and why that is not known."""
    from unmoor.adapters.factory import open_workflow_runs
    from unmoor.errors import Internal, Interrupted, UnmoorError
    from unmoor.render.report.model import ReportApproval, ReportPart, UnknownFact

    port = open_workflow_runs(world, processes)
    try:
        found = tuple(
            ReportApproval(environment=environment, state=each.state, who=each.who, comment=each.comment)
            for run in runs
            for each in port.approvals(run)
            for environment in each.environments or ("",)
        )
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        why = error.in_brief(where=True)
        return (), (UnknownFact(part=ReportPart.APPROVALS, what="who approved it", why=why),)
    return found, ()
