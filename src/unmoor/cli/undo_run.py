"""Run ``unmoor undo``: read the surfaces, remove what can go, and print what stays and why.

What a release left is read from the surfaces alone, so a release is taken back from every partial state. The dry run
prints the same lines in the words "would be", and ends with the same exit code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial

import click

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import session
from unmoor.cli.deploy_run import require_deployment
from unmoor.cli.deployed_now import look
from unmoor.cli.exit_codes import message
from unmoor.cli.output import err
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.surfaces import TagSurfaces
from unmoor.core.pipeline import AnyStage, Pipeline
from unmoor.core.stage import NotUndone, Publish, Push, Undone
from unmoor.errors import Incomplete, Internal, Interrupted, UnmoorError
from unmoor.filesystem.locks import exclusive_lock
from unmoor.project.releasable import refuse_fork
from unmoor.publish.inventory import released_elsewhere
from unmoor.publish.tag_positions import TagPositions
from unmoor.publish.undo_plan import Fate, Remedies, UndoItem, keep_drafts, plan_undo
from unmoor.util.text import clean
from unmoor.util.values import replace


def run(target: TargetOptions, *, only: tuple[str, ...] = (), apply: bool) -> int:
    """Take back what a release left on the surfaces, or without ``apply`` print what would be. Return the exit code.

    ``only`` are the kinds of deployments to take back, and nothing else; empty for everything.
    """
    options = RunOptions(target=target, quiet=True, engine=False)
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        request = opened.request
        folder = request.folder
        if request.real:
            refuse_fork(opened.services.git, request.repository, request.settings.repository)
        if apply:
            folder.open()
        with exclusive_lock(folder.path) if apply else nullcontext():
            planned, note = _plan(opened, only)
            items: list[UndoItem] = []
            for item in _remove_all(opened.pipeline, planned) if apply else planned:
                click.echo(_line(item, applied=apply))
                items.append(item)
    if items and note:
        err(f"warning: {note}")
    again = options.other_command("undo", request.tag, *_arguments(only, applied=apply))
    return _print_ending(items, applied=apply, tag=request.tag, options=options, again=again)


def _plan(opened: session.Session, only: tuple[str, ...]) -> tuple[tuple[UndoItem, ...], str]:
    """What becomes of the deployments, and then of everything else. The text says that the tag is elsewhere now."""
    for kind in only:
        if kind != "service":
            require_deployment(opened, (kind,))
    deployed = tuple(item for each in look(opened, only, begun=True) if (item := each.undo) is not None)
    if only:
        return deployed, ""
    request, inventory = opened.request, TagSurfaces.of(opened).inventory()
    planned = plan_undo(
        inventory,
        remedies=_remedies(opened.pipeline),
        plans=request.image_plans(opened.services),
        packages=request.packages(opened.services),
        positions=TagPositions.of(request.folder, inventory.before),
    )
    return (*deployed, *planned), released_elsewhere(inventory)


def _arguments(only: tuple[str, ...], *, applied: bool) -> list[str]:
    return [argument for kind in only for argument in ("--only", kind)] + (["--apply"] if applied else [])


def _remedies(pipeline: Pipeline) -> Remedies:
    """What a person can do about what stays, as the stages say that put it there."""

    def remedy(name: str, product: object) -> str:
        stage = pipeline[name]
        return stage.remedy(product) if isinstance(stage, Publish) else ""

    return Remedies(index=partial(remedy, "pypi"), public=partial(remedy, "undraft"))


def _remove_all(pipeline: Pipeline, planned: Sequence[UndoItem]) -> Iterator[UndoItem]:
    """Remove what goes, in order, and yield what became of each item. A failure stops nothing but the drafts."""
    done: list[UndoItem] = []
    for each in planned:
        item = keep_drafts([*done, each])[-1]
        done.append(_remove(pipeline, item) if item.product is not None else item)
        yield done[-1]


def _remove(pipeline: Pipeline, item: UndoItem) -> UndoItem:
    """Have a stage remove what it put on a surface."""
    try:
        answers = _undo(pipeline[item.stage], item.product)
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return replace(item, fate=Fate.UNKNOWN, error=error)
    stays = [answer.why for answer in answers if isinstance(answer, NotUndone)]
    return replace(item, fate=Fate.LEFT, why="; ".join(stays)) if stays else item


def _undo(stage: AnyStage, product: object) -> Sequence[Undone | NotUndone]:
    match stage:
        case Push():
            return [stage.undo(product)]
        case Publish():
            return stage.undo_partly(product)
        case _:
            raise Internal(f"{stage.name} removes nothing", next_step=advice.REPORT_IT())


def _line(item: UndoItem, *, applied: bool) -> str:
    """Say what became of an item, or what would become of it."""
    what, why = clean(item.what, limit=2000), clean(item.why, limit=2000)
    match item.fate:
        case Fate.GOES:
            return f"{item.stage}: {'' if applied else 'would be '}{item.done}: {what}{f'; {why}' if why else ''}"
        case Fate.NEEDED:
            return f"{item.stage}: stays, so that the release can be finished: {what}; {why}"
        case Fate.PERMANENT:
            return f"{item.stage}: stays. {what}: {why}"
        case Fate.LEFT:
            return f"{item.stage}: is left: {what}: {why}"
        case Fate.UNKNOWN:
            return f"{item.stage}: unknown: {what}: {clean(str(item.error), limit=2000)}"


def _print_ending(items: Sequence[UndoItem], *, applied: bool, tag: str, options: RunOptions, again: str) -> int:
    """Say what is left and what to do about it, and return the exit code. ``again`` is the command line."""
    errors = {str(item.error): item.error for item in items if item.error is not None}
    if not items:
        err("found nothing to take back")
    if not applied and any(item.fate is Fate.GOES for item in items):
        err("nothing was changed; to apply the changes, add --apply")
    needed = next((item for item in items if item.fate is Fate.NEEDED), None)
    left = [item for item in items if item.fate is Fate.LEFT]
    problems: list[UnmoorError] = list(errors.values())
    if needed is not None and not problems:
        problems.append(
            Incomplete(
                f"{clean(tag)} is released in part: {needed.why}",
                next_step=advice.FINISH_RELEASE(command=options.release_command(tag)),
                retryable=False,
            )
        )
    if left and not problems:
        problems.append(
            Incomplete(
                f"not everything was taken back: {', '.join(item.what for item in left)}",
                next_step=advice.REMOVE_REST_BY_HAND(),
                retryable=False,
            )
        )
    for problem in problems:
        for line in message(problem):
            err(line)
    if errors:
        err(f"then:  {again}")
    return problems[0].exit_code if problems else 0
