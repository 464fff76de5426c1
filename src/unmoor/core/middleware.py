"""Runs one stage. Every concern is a wrapper, ``Step -> Step``; only `compose` knows their order."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, assert_never

import msgspec

from unmoor import advice
from unmoor.core.events import Listener, StageEnded, StageStarted
from unmoor.core.journal import RunJournal
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.pipeline import AnyStage
from unmoor.core.stage import Reach, Resumable, StageContext
from unmoor.errors import (
    Conflict,
    Denied,
    Internal,
    Interrupted,
    Rejected,
    TimedOut,
    TryLater,
    Unknown,
    UnmoorError,
    from_os_error,
)
from unmoor.filesystem.safe_folder import was_removed
from unmoor.util.announce import announcing_to
from unmoor.util.values import replace


class Deferred(msgspec.Struct, frozen=True):
    """The world does not hold the product yet, and an earlier stage must run first: try again later."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One stage at one moment.

    ``missing_input`` says why an input is missing, ``blocked`` why the stage may not make anything.
    ``find_only`` means that it may look but not make anything yet.
    """

    stage: AnyStage
    context: StageContext
    missing_input: Outcome | None = None
    blocked: Outcome | None = None
    find_only: bool = False


StepResult = Outcome | Deferred
# What no missing file of the run can have caused.
_NOT_FILES = (Denied, Interrupted, Rejected, TimedOut, TryLater)
Step = Callable[[Task], StepResult]


def make_product(task: Task) -> StepResult:
    """Make the product: the innermost step. A failure here may leave part of the product behind."""
    result = capture_errors(lambda task: Made(task.stage.make(task.context)))(task)
    return replace(result, begun=True) if isinstance(result, Failed) else result


def refuse_unvouched(step: Step) -> Step:
    """Send nothing if a product came from a document that nothing vouches for. Such a product has ``vouched`` false."""

    def check(task: Task) -> StepResult:
        unvouched = [by for by, product in task.context.products.items() if getattr(product, "vouched", True) is False]
        if task.stage.reach < Reach.REMOTE or not unvouched:
            return step(task)
        return Failed(
            Conflict(
                f"nothing is sent: what {', '.join(unvouched)} found is public, but nothing vouches for it",
                next_step=advice.PASS_SHA256_OF_MANIFEST(),
            )
        )

    return check


def refuse_project_code(refusal: Callable[[AnyStage], UnmoorError | None]) -> Callable[[Step], Step]:
    """Make nothing if ``refusal`` gives an error for the stage, which would run code that this run must not run."""

    def wrap(step: Step) -> Step:
        def check(task: Task) -> StepResult:
            error = refusal(task.stage)
            return step(task) if error is None else Failed(error)

        return check

    return wrap


def pass_no_return(journal: RunJournal) -> Callable[[Step], Step]:
    """Tell the journal that a stage is about to make something that cannot be taken back."""

    def wrap(step: Step) -> Step:
        def make_final(task: Task) -> StepResult:
            if task.stage.reach is Reach.FINAL:
                journal.pass_no_return()
            return step(task)

        return make_final

    return wrap


def plan_above(ceiling: Reach) -> Callable[[Step], Step]:
    """Call ``plan`` instead of ``make`` for a stage above the ceiling."""

    def wrap(step: Step) -> Step:
        return lambda task: step(task) if task.stage.reach <= ceiling else Planned(task.stage.plan())

    return wrap


def require_upstream(step: Step) -> Step:
    """Stop a stage that comes after something that is missing, and say why."""
    return lambda task: task.blocked or step(task)


def defer_making(step: Step) -> Step:
    """Make nothing if the stage may only look for now."""
    return lambda task: Deferred() if task.find_only else step(task)


def find_first(ceiling: Reach) -> Callable[[Step], Step]:
    """Ask the world first: a product that it already holds is done.

    Above the ceiling nothing would be made anyway, so there a failed look is only a warning.
    """

    def wrap(step: Step) -> Step:
        def look(task: Task) -> StepResult:
            if isinstance(task.stage, Resumable):
                try:
                    product = task.stage.find(task.context)
                except (Denied, Unknown) as error:
                    if task.stage.reach <= ceiling:
                        raise
                    task.context.warn(f"cannot determine whether this is done already: {error}")
                    return Planned(task.stage.plan())
                if product is not None:
                    return Found(product)
            return step(task)

        return look

    return wrap


def require_inputs(step: Step) -> Step:
    """Stop a stage whose inputs are missing: it cannot even look."""
    return lambda task: task.missing_input or step(task)


def enter_workspace(enter: Callable[[], None]) -> Callable[[Step], Step]:
    """Take the lock, the run folder and the journal before a stage looks for or makes anything."""

    def wrap(step: Step) -> Step:
        def enter_first(task: Task) -> StepResult:
            if task.stage.reach > Reach.READS:
                enter()
            return step(task)

        return enter_first

    return wrap


def capture_errors(step: Step) -> Step:
    """Turn an exception into an outcome. A bug in unmoor keeps its traceback."""

    def guard(task: Task) -> StepResult:
        try:
            return step(task)
        except UnmoorError as error:
            return Failed(error)
        except Exception as error:  # noqa: BLE001 - the one place where a bug in a stage becomes an outcome
            gone = was_removed(error) if isinstance(error, OSError) else None
            return Failed(from_os_error(error) or gone or internal_error(error))

    return guard


def explain_lost_workspace(lost: Callable[[], UnmoorError | None]) -> Callable[[Step], Step]:
    """Give the one reason for whatever failed because the files of the run are gone. What a server said stays."""

    def wrap(step: Step) -> Step:
        def explain(task: Task) -> StepResult:
            result = step(task)
            if not isinstance(result, Failed) or isinstance(result.error, _NOT_FILES):
                return result
            error = lost()
            if error is None:
                return result
            error.__cause__ = result.error
            return replace(result, error=error)

        return explain

    return wrap


def reword_advice(advise: Callable[[UnmoorError], UnmoorError]) -> Callable[[Step], Step]:
    """Give an error the advice for this kind of run."""

    def wrap(step: Step) -> Step:
        def reword(task: Task) -> StepResult:
            result = step(task)
            return replace(result, error=advise(result.error)) if isinstance(result, Failed) else result

        return reword

    return wrap


def internal_error(error: Exception) -> Internal:
    """Describe a bug in unmoor; the traceback goes to the journal."""
    internal = Internal(
        f"unmoor itself failed: {type(error).__name__}: {error}",
        otherwise=advice.REPORT_WITH_TRACEBACK(),
        retryable=True,
    )
    internal.__cause__ = error
    return internal


def write_journal(journal: RunJournal) -> Callable[[Step], Step]:
    """Record that a stage begins and how it ended, each before the next step starts."""

    def wrap(step: Step) -> Step:
        def record(task: Task) -> StepResult:
            stage, warn = task.stage, task.context.warn
            try:
                if not task.missing_input:
                    journal.write({"event": "begins", "stage": stage.name}, warn)
            except Exception:
                if task.blocked is None:
                    raise
                return task.blocked
            result = step(task)
            if stage.reach is Reach.FINAL and isinstance(result, Found):
                journal.pass_no_return()
            if isinstance(result, Deferred):
                return result
            try:
                journal.write({"event": "ended", "stage": stage.name, **outcome_record(result)}, warn)
            except Exception as error:  # noqa: BLE001 - the report says what the stage has done all the same
                return _unwritten(result, error)
            return result

        return record

    return wrap


def _unwritten(outcome: Outcome, error: Exception) -> Outcome:
    """Return the outcome of a stage whose end could not be written to the journal: only a success becomes a failure."""
    if isinstance(outcome, Made | Found):
        return Failed(from_os_error(error) or internal_error(error), begun=True)
    return outcome


def outcome_record(outcome: Outcome) -> Mapping[str, Any]:
    """The fields of an outcome in the journal."""
    match outcome:
        case Made(product) | Found(product):
            return {"outcome": outcome.state, "product": product}
        case Planned(plan):
            return {"outcome": outcome.state, "plan": plan}
        case Skipped(why):
            return {"outcome": outcome.state, "why": why}
        case Failed(error):
            record: dict[str, Any] = {"outcome": outcome.state, "kind": error.kind, "error": str(error)}
            record |= {"next": str(error.next_step or error.otherwise), "retryable": error.retryable}
            record["advice"] = error.advice_ids
            if error.__cause__ is not None and isinstance(error, Internal):
                record["traceback"] = "".join(traceback.format_exception(error.__cause__))
            return record
        case _:
            assert_never(outcome)


def notify(listener: Listener) -> Callable[[Step], Step]:
    """Tell the listeners when a stage begins and ends, and what it waits for meanwhile."""

    def wrap(step: Step) -> Step:
        def announce(task: Task) -> StepResult:
            listener(StageStarted(stage=task.stage.name))
            begun = time.monotonic()
            with announcing_to(task.context.say):
                result = step(task)
            if not isinstance(result, Deferred):
                listener(StageEnded(stage=task.stage.name, outcome=result, seconds=time.monotonic() - begun))
            return result

        return announce

    return wrap


def compose(
    *,
    ceiling: Reach,
    journal: RunJournal,
    listener: Listener,
    enter: Callable[[], None],
    lost: Callable[[], UnmoorError | None],
    advise: Callable[[UnmoorError], UnmoorError],
    refuse: Callable[[AnyStage], UnmoorError | None],
) -> Step:
    """Nest the wrappers, innermost first. The only place that knows their order."""
    step: Step = make_product
    for wrapper in (
        pass_no_return(journal),
        refuse_project_code(refuse),
        refuse_unvouched,
        plan_above(ceiling),
        require_upstream,
        defer_making,
        find_first(ceiling),
        enter_workspace(enter),
        require_inputs,
        capture_errors,
        explain_lost_workspace(lost),
        reword_advice(advise),
        write_journal(journal),
        notify(listener),
    ):
        step = wrapper(step)
    return step
