"""The words for products and outcomes, the same on every listener."""

from __future__ import annotations

from typing import assert_never

from unmoor.core.events import Report, StageReport
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Reach
from unmoor.products import (
    Access,
    Certainty,
    CheckedDists,
    Dists,
    Draft,
    Images,
    MovedTags,
    Notes,
    Proof,
    PublishedRelease,
    Pushed,
    Release,
    Uploaded,
    Verdict,
    Verified,
)
from unmoor.util.text import clean

KILO = 1000


def size(count: int) -> str:
    """Write a size as people do: 512 B, 34.0 kB, 1.2 GB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < KILO or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KILO
    raise AssertionError


def _sized(count: int) -> str:
    return f" ({size(count)})" if count else ""


def count_of(count: int, noun: str) -> str:
    """Write ``1 file`` or ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def describe(product: object) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a product, matched on its type
    """Say in one line what a product is."""
    match product:
        case Release():
            kind = "prerelease" if product.prerelease else "final, the highest" if product.highest else "final"
            return f"{product.project} {product.version} at {product.commit[:12]} ({kind})"
        case Access():
            proven = sum(finding.standing is Certainty.PROVEN for finding in product.findings)
            return f"{proven} proven, {len(product.findings) - proven} only provable by using them"
        case Notes():
            return f"{count_of(len(product.body.splitlines()), 'line')} from {clean(product.source)}"
        case Dists():
            return f"{count_of(len(product.files), 'file')}, {size(sum(file.size for file in product.files))}"
        case CheckedDists():
            return f"{count_of(len(product.subjects), 'file')} fit for the index"
        case Proof():
            passed = sum(result.verdict is Verdict.PASSED for result in product.results)
            untested = [result.name for result in product.results if result.verdict is Verdict.NOT_TESTED]
            return f"{passed} passed" + (f"; not tested: {clean(', '.join(untested))}" if untested else "")
        case Images():
            return ", ".join(f"{i.target or 'image'} for {i.platform}{_sized(i.size)}" for i in product.images)
        case Pushed():
            return ", ".join(f"{image.name}:{image.tag}" for image in product.images)
        case MovedTags():
            names = dict.fromkeys(pointer.name for pointer in product.pointers)
            kept = f"; {count_of(len(product.left), 'tag')} left where they were" if product.left else ""
            return f"{count_of(len(product.pointers), 'tag')} on {', '.join(names)}{kept}"
        case Draft():
            return f"{count_of(len(product.assets), 'asset')} at {clean(product.url)}"
        case Uploaded():
            return f"{count_of(len(product.files), 'file')} on {product.index}"
        case PublishedRelease():
            standing = "prerelease" if product.prerelease else "latest" if product.latest else "not latest"
            return f"{clean(product.url)} ({standing})"
        case Verified():
            pending = sum(bool(held.pending) for held in product.held)
            return f"{count_of(len(product.held), 'item')} read back" + (
                f", {pending} still pending" if pending else ""
            )
        case _:
            return clean(str(product))


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
    return tuple(s for s in report.stages if isinstance(s.outcome, Failed) and not s.entry.advisory)


def is_public(stage: StageReport) -> bool:
    """Whether a stage left something outside this machine, now or in an earlier run."""
    return stage.entry.reach >= Reach.REMOTE and isinstance(stage.outcome, Made | Found)


def is_partial(stage: StageReport) -> bool:
    """Whether a stage broke off while it sent something."""
    return stage.entry.reach >= Reach.REMOTE and isinstance(stage.outcome, Failed) and stage.outcome.begun


def already_published(report: Report) -> tuple[str, ...]:
    """What is already outside, stage by stage; of a stage that broke off it may be a part."""
    return tuple(
        f"{stage.entry.name}: {text(stage.outcome) if is_public(stage) else 'perhaps a part, as far as its error says'}"
        for stage in report.stages
        if is_public(stage) or is_partial(stage)
    )
