"""The text for products and outcomes, the same for every listener."""

from __future__ import annotations

from typing import assert_never

from unmoor.core.events import Report, StageReport
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Product, Reach
from unmoor.products import Deployed, Proof, Result
from unmoor.util.text import clean


def describe(product: object) -> str:
    """Describe a product in one line: by its summary if it has one."""
    return product.summary if isinstance(product, Product) else clean(str(product))


def state(outcome: Outcome | None) -> str:
    """Return how a stage ended, in one or two words."""
    match outcome:
        case Made():
            return "done"
        case Found():
            return "already there"
        case Planned():
            return "planned"
        case Skipped():
            return "skipped"
        case Failed():
            return "FAILED"
        case None:
            return "not requested"
        case _:
            assert_never(outcome)


def text(outcome: Outcome | None) -> str:
    """Return the result of a stage in one line: its product, its plan, or why it has neither."""
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


def detail(result: Result) -> str:
    """Return the details of one check, with the numbers of a project's own tests."""
    return ": ".join(filter(None, (result.counts, result.detail)))


def deployed(report: Report) -> tuple[tuple[StageReport, Deployed], ...]:
    """Return what was deployed, with the stage that did or found it."""
    products = ((each, report.product(each.info.name)) for each in report.stages)
    return tuple((each, product) for each, product in products if isinstance(product, Deployed))


def deployment_state(stage: StageReport, product: Deployed) -> str:
    """Return what became of a deployment, in one or two words."""
    return state(stage.outcome) if product.is_there else "left out"


def untested(report: Report) -> tuple[Result, ...]:
    """Return what no stage tested, once each, although a proof lists it."""
    proofs = (report.product(each.info.name) for each in report.stages)
    return tuple(dict.fromkeys(result for proof in proofs if isinstance(proof, Proof) for result in proof.untested))


def failures(report: Report) -> tuple[StageReport, ...]:
    """Return the stages that failed, in order, without advisory ones."""
    return tuple(s for s in report.stages if isinstance(s.outcome, Failed) and not s.info.advisory)


def not_reached(report: Report) -> tuple[str, ...]:
    """Return the names of the stages that did not run, because another one failed or the run was stopped."""
    return tuple(stage.info.name for stage in report.stages if isinstance(stage.outcome, Skipped))


def is_public(stage: StageReport) -> bool:
    """Whether a stage uploaded or published something, now or in an earlier run."""
    return stage.info.reach >= Reach.REMOTE and isinstance(stage.outcome, Made | Found)


def is_partial(stage: StageReport) -> bool:
    """Whether a stage failed after it had begun to upload or publish."""
    return stage.info.reach >= Reach.REMOTE and isinstance(stage.outcome, Failed) and stage.outcome.begun


def already_published(report: Report) -> tuple[str, ...]:
    """Return one line for each stage that uploaded or published something, or may have done so before it failed."""
    return tuple(
        f"{stage.info.name}: {text(stage.outcome) if is_public(stage) else 'possibly in part, see its error'}"
        for stage in report.stages
        if is_public(stage) or is_partial(stage)
    )
