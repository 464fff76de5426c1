"""The words for products and outcomes, the same on every listener."""

from __future__ import annotations

from typing import assert_never

from unmoor.core.events import Report, StageReport
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Product, Reach
from unmoor.errors import UnmoorError
from unmoor.util.text import clean, duration

AGAIN = "run the same command again"
KEPT = "what is there already is kept"


def next_step(error: UnmoorError, *, kept: bool = False) -> str:
    """Say what to do about an error. The one place that says to run the same command again.

    ``kept``: it was a run of stages, which goes on from what is there; that is said as well.

    >>> from unmoor.errors import Denied, TryLater, Unknown
    >>> next_step(Denied("no", next_step="give a token"))
    'give a token'
    >>> next_step(Unknown("no answer"), kept=True)
    'run the same command again: what is there already is kept'
    >>> next_step(TryLater("busy", wait=90))
    'wait 2 min, then run the same command again'
    >>> next_step(Unknown("no answer", next_step="see that it runs", otherwise="restart it"))
    'see that it runs, then run the same command again; if that stays, restart it'
    """
    if not error.retryable:
        return error.next_step
    before = ", ".join(filter(None, (error.next_step, f"wait {duration(error.wait)}" if error.wait else "")))
    again = f"{before}, then {AGAIN}" if before else AGAIN
    return "; if that stays, ".join(filter(None, (f"{again}: {KEPT}" if kept else again, error.otherwise)))


def describe(product: object) -> str:
    """Say in one line what a product is, in its own words if it has any."""
    return product.summary if isinstance(product, Product) else clean(str(product))


def state(outcome: Outcome | None) -> str:
    """Name how a stage ended, in one or two words."""
    match outcome:
        case Made():
            return "done"
        case Found():
            return "already there"
        case Planned():
            return "planned"
        case Skipped():
            return "not reached"
        case Failed():
            return "FAILED"
        case None:
            return "not asked for"
        case _:
            assert_never(outcome)


def text(outcome: Outcome | None) -> str:
    """Say in one line what came of a stage."""
    match outcome:
        case Made(product) | Found(product):
            return describe(product)
        case Planned(plan):
            return clean(plan, limit=500)
        case Skipped(why):
            return clean(why)
        case Failed(error):
            return clean(str(error).partition("\n")[0], limit=500)
        case None:
            return ""
        case _:
            assert_never(outcome)


def failures(report: Report) -> tuple[StageReport, ...]:
    """Every stage that failed and was not only advisory, in order."""
    return tuple(s for s in report.stages if isinstance(s.outcome, Failed) and not s.info.advisory)


def is_public(stage: StageReport) -> bool:
    """Whether a stage left something outside this machine, now or in an earlier run."""
    return stage.info.reach >= Reach.REMOTE and isinstance(stage.outcome, Made | Found)


def is_partial(stage: StageReport) -> bool:
    """Whether a stage broke off while it sent something."""
    return stage.info.reach >= Reach.REMOTE and isinstance(stage.outcome, Failed) and stage.outcome.begun


def already_published(report: Report) -> tuple[str, ...]:
    """What is already outside, stage by stage; of a stage that broke off it may be a part."""
    return tuple(
        f"{stage.info.name}: {text(stage.outcome) if is_public(stage) else 'perhaps a part, as far as its error says'}"
        for stage in report.stages
        if is_public(stage) or is_partial(stage)
    )
