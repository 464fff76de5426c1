"""What of a release is deployed now, for the commands that read the surfaces: ``status`` and ``undo``.

The stages of the deployments look, as they do in a release, and make nothing. What they need, such as the asset with
the documentation, is found too, in a folder that is removed again.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import msgspec

from unmoor.artifacts.run_dir import RunFolder
from unmoor.assembly import assemble_deployments
from unmoor.cli.deployments import refusal, words_of
from unmoor.cli.session import Session
from unmoor.core.events import Report
from unmoor.core.outcome import Failed, Found, Made
from unmoor.core.pipeline import AnyStage, Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Publish, Push, Reach, StageContext
from unmoor.errors import Conflict, Incomplete, Internal, Interrupted, UnmoorError
from unmoor.filesystem.temporary import temporary_folder
from unmoor.products import Deployed
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.undo_plan import Fate, UndoItem
from unmoor.render import words
from unmoor.util.values import replace

_PUBLIC = "public"
"""The stage that a deployment alone begins with. Here the release is public, or nothing of this is asked."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment of a release, or its announcement: the stage, and what it found, or why it found nothing.

    ``product`` and ``error`` are ``None`` if nothing is there.
    """

    stage: AnyStage
    product: object = None
    error: UnmoorError | None = None

    @property
    def state(self) -> SurfaceState:
        """Its state, as that of a surface."""
        name = self.stage.name
        if self.error is not None:
            state = State.CONFLICTING if isinstance(self.error, Conflict) else State.UNKNOWN
            return SurfaceState(surface=name, state=state, note=self.error.in_brief(where=True))
        if self.product is None:
            return SurfaceState(surface=name, state=State.INCOMPLETE, note="not there")
        if not isinstance(self.product, Deployed):
            return SurfaceState(surface=name, state=State.COMPLETE, note=words.describe(self.product))
        there = self.product
        if not there.is_there:
            return SurfaceState(surface=name, state=State.COMPLETE, note=f"left out: {', '.join(there.left_out)}")
        note = ", ".join(filter(None, (there.numbers, there.time)))
        item = Item(
            name=there.address or there.what,
            state=State.COMPLETE,
            expected=there.identity,
            seen=there.identity,
            note=note,
        )
        return SurfaceState.of(name, [item], url=there.address)

    @property
    def undo(self) -> UndoItem | None:
        """What becomes of it if the release is taken back; ``None`` if nothing is there."""
        if self.error is not None:
            return UndoItem(stage=self.stage.name, what=self.stage.name, fate=Fate.UNKNOWN, error=self.error)
        if self.product is None or (isinstance(self.product, Deployed) and not self.product.is_there):
            return None
        what = words.describe(self.product)
        if isinstance(self.stage, Publish):
            why = self.stage.remedy(self.product)
            return UndoItem(stage=self.stage.name, what=what, fate=Fate.PERMANENT, why=why)
        done = "taken back"
        return UndoItem(stage=self.stage.name, what=what, fate=Fate.GOES, done=done, product=self.product)


def look(opened: Session, only: Collection[str] = (), *, begun: bool = False) -> tuple[Deployment, ...]:
    """Look for what is deployed, in the order of the release. ``only`` are kinds, as the command line names them.

    ``begun``: also for what a run that was killed left of a deployment.
    """
    settings = opened.request.settings
    if not (settings.docs or settings.space or settings.announce or settings.service):
        return ()
    with temporary_folder() as folder:
        tag, belief = opened.request.tag, opened.request.folder.belief
        elsewhere = RunFolder.of(folder, tag, belief)
        pipeline = _without_order(assemble_deployments(replace(opened.request, folder=elsewhere), opened.services))
        names = [name for name in pipeline.names if words_of(name) and (not only or words_of(name)[0] in only)]
        report = Run(
            pipeline=pipeline,
            world=opened.world.name,
            rehearsal=opened.world.rehearsal,
            ceiling=Reach.REMOTE,
            until=("tag", *names),
            deadline=opened.request.settings.deadline,
            refuse=partial(refusal, wanted=""),
        ).execute()
        found = [_deployment(pipeline[name], report) for name in names]
        found = [begun_of(each, report) for each in found] if begun else found
    told = [stage for stage in pipeline if stage.runs_last and not only]
    return (*found, *(_announcement(stage, report) for stage in told))


def begun_of(deployment: Deployment, report: Report) -> Deployment:
    """The same deployment, or what a run that was killed left of it."""
    stage, product = deployment.stage, deployment.product
    there = product is not None and not (isinstance(product, Deployed) and not product.is_there)
    needed = {output.by: report.product(output.by) for output in stage.inputs}
    if there or deployment.error is not None or not isinstance(stage, Push) or None in needed.values():
        return deployment
    try:
        left = stage.find_begun(StageContext(needed))
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return Deployment(stage=stage, error=error)
    return deployment if left is None else Deployment(stage=stage, product=left)


def _announcement(stage: AnyStage, report: Report) -> Deployment:
    """What was announced of a public release. The stage looks for itself: in a run, it would tell what failed."""
    release = report.product("tag")
    if release is None or not isinstance(stage, Publish):
        return Deployment(stage=stage)
    try:
        return Deployment(stage=stage, product=stage.find(StageContext({"tag": release, _PUBLIC: release})))
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return Deployment(stage=stage, error=error)


def _without_order(pipeline: Pipeline) -> Pipeline:
    """The stages without what they come after: looking waits for nothing."""
    return Pipeline(tuple(replace(stage, after=()) for stage in pipeline if stage.name != _PUBLIC))


def _deployment(stage: AnyStage, report: Report) -> Deployment:
    match report.outcome(stage.name):
        case Found(product) | Made(product):
            return Deployment(stage=stage, product=product)
        case Failed(Incomplete() as error) if not error.retryable:  # it would have been made
            return Deployment(stage=stage)
        case Failed(error):
            return Deployment(stage=stage, error=error)
        case _:
            # Something that it needs failed, or is missing for the same reason.
            failed = [each.outcome.error for each in report.stages if isinstance(each.outcome, Failed)]
            return Deployment(stage=stage, error=failed[0] if failed else None)
