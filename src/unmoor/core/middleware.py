"""Runs one stage: every concern is a wrapper, ``Step -> Step``, and `compose` alone knows their order."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from unmoor.core.events import Listener, StageEnded, StageStarted
from unmoor.core.journal import Journal
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.pipeline import AnyStage
from unmoor.core.stage import Reach, Resumable, StageContext
from unmoor.errors import Denied, Internal, Unknown, UnmoorError, from_os_error


@dataclass(frozen=True)
class Deferred:
    """The world does not hold it yet, and what must come before it is not there: ask again later."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One stage at one moment.

    ``missing_input`` says why an input is missing, ``blocked`` why it may not make anything;
    ``early`` means that it may only look for now.
    """

    stage: AnyStage
    context: StageContext
    missing_input: Outcome | None = None
    blocked: Outcome | None = None
    early: bool = False


Ended = Outcome | Deferred
Step = Callable[[Task], Ended]


def make_product(task: Task) -> Ended:
    """Make the product: the innermost step. What fails here may have left a part of it."""
    ended = capture_errors(lambda task: Made(task.stage.make(task.context)))(task)
    return replace(ended, begun=True) if isinstance(ended, Failed) else ended


def plan_above(limit: Reach) -> Callable[[Step], Step]:
    """Plan, instead of making, what lies above the ceiling."""

    def wrap(step: Step) -> Step:
        return lambda task: step(task) if task.stage.reach <= limit else Planned(task.stage.plan())

    return wrap


def require_upstream(step: Step) -> Step:
    """Stop a stage that must come after something that is missing, and say why."""
    return lambda task: task.blocked or step(task)


def find_only(step: Step) -> Step:
    """Make nothing while the stage was only asked to look."""
    return lambda task: Deferred() if task.early else step(task)


def find_first(limit: Reach) -> Callable[[Step], Step]:
    """Ask the world first: what it holds already is done.

    Above the ceiling nothing would be made anyway: there an answer that cannot be had is a warning.
    """

    def wrap(step: Step) -> Step:
        def look(task: Task) -> Ended:
            if isinstance(task.stage, Resumable):
                try:
                    product = task.stage.find(task.context)
                except (Denied, Unknown) as error:
                    if task.stage.reach <= limit:
                        raise
                    task.context.warn(f"it cannot be told whether this is done already: {error}")
                    return Planned(task.stage.plan())
                if product is not None:
                    return Found(product)
            return step(task)

        return look

    return wrap


def require_inputs(step: Step) -> Step:
    """Stop a stage whose inputs are missing: it can not even look."""
    return lambda task: task.missing_input or step(task)


def enter_workspace(gate: Callable[[], None]) -> Callable[[Step], Step]:
    """Pass the gate before anything is made on this machine or elsewhere: the lock, the run's folder, the journal."""

    def wrap(step: Step) -> Step:
        def enter(task: Task) -> Ended:
            if task.stage.reach > Reach.READS:
                gate()
            return step(task)

        return enter

    return wrap


def capture_errors(step: Step) -> Step:
    """Turn what was raised into an outcome. A fault of ours keeps its traceback."""

    def guard(task: Task) -> Ended:
        try:
            return step(task)
        except UnmoorError as error:
            return Failed(error)
        except Exception as error:  # noqa: BLE001 - the one place where a stage's own fault becomes an outcome
            return Failed(from_os_error(error) or internal_error(error))

    return guard


def internal_error(error: Exception) -> Internal:
    """Describe a fault of unmoor's own; the traceback goes to the journal."""
    internal = Internal(
        f"unmoor itself failed: {type(error).__name__}: {error}",
        next_step="run the same command again; if it stays, report it with the traceback, which is kept",
    )
    internal.__cause__ = error
    return internal


def write_journal(journal: Journal) -> Callable[[Step], Step]:
    """Write down that a stage begins and how it ended, each before anything follows from it."""

    def wrap(step: Step) -> Step:
        def record(task: Task) -> Ended:
            if not task.missing_input:
                journal.write({"event": "begins", "stage": task.stage.name})
            ended = step(task)
            if not isinstance(ended, Deferred):
                journal.write({"event": "ended", "stage": task.stage.name, **outcome_record(ended)})
            return ended

        return record

    return wrap


def outcome_record(outcome: Outcome) -> Mapping[str, Any]:
    """Put an outcome in the words of the journal."""
    match outcome:
        case Made(product) | Found(product):
            return {"outcome": outcome.state, "product": product}
        case Planned(plan):
            return {"outcome": outcome.state, "plan": plan}
        case Skipped(why):
            return {"outcome": outcome.state, "why": why}
        case Failed(error):
            told = {"outcome": outcome.state, "kind": error.kind, "error": str(error), "next": error.next_step}
            if error.__cause__ is not None and isinstance(error, Internal):
                told["traceback"] = "".join(traceback.format_exception(error.__cause__))
            return told
        case _:
            assert_never(outcome)


def notify(tell: Listener) -> Callable[[Step], Step]:
    """Tell the listeners when a stage begins and ends."""

    def wrap(step: Step) -> Step:
        def speak(task: Task) -> Ended:
            tell(StageStarted(stage=task.stage.name))
            begun = time.monotonic()
            ended = step(task)
            if not isinstance(ended, Deferred):
                tell(StageEnded(stage=task.stage.name, outcome=ended, seconds=time.monotonic() - begun))
            return ended

        return speak

    return wrap


def compose(*, limit: Reach, journal: Journal, tell: Listener, gate: Callable[[], None]) -> Step:
    """Put the wrappers together, innermost first. The only place that knows their order."""
    step: Step = make_product
    wrappers = (
        *(plan_above(limit), require_upstream, find_only, find_first(limit), enter_workspace(gate), require_inputs),
        *(capture_errors, write_journal(journal), notify(tell)),
    )
    for wrapper in wrappers:
        step = wrapper(step)
    return step
