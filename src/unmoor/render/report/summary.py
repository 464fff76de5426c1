"""The short form of a report, for the summary of a job: how it stands, where, how long it took, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from unmoor.core.waivers import GateVerdict
from unmoor.products.surface_state import State
from unmoor.render.markdown import cell, link, rows_of
from unmoor.render.report.model import ReleaseReport
from unmoor.render.report.times import span
from unmoor.util.text import clean, count_of, size

_ORDER: Final = ("made", "found", "planned", "skipped", "failed", "unfinished")
_WORDS: Final = {"made": "done", "found": "already there", "failed": "FAILED"}


def summary(report: ReleaseReport) -> str:
    """Return the short form as GitHub's Markdown: a title and a table."""
    name = clean(" ".join(filter(None, (report.project, report.version))) or report.tag, 120)
    title = f"## {'Rehearsal' if report.rehearsal else 'Release'} of {cell(name)}\n\n"
    return title + rows_of(("", ""), list(_rows(report)))


def _rows(report: ReleaseReport) -> Iterator[tuple[str, str]]:
    yield "status", cell(report.summary)
    if report.url and not report.rehearsal:
        yield "release", link(report.url)
    if report.writer.run_url:
        yield "run", link(report.writer.run_url)
    if report.commit:
        yield "commit", cell(report.commit)
    yield "time", "not known" if report.timeline is None else span(report.timeline.seconds)
    for what, counted in counts(report):
        yield what, cell(counted)
    for emergency in report.emergencies:
        yield "emergency", cell(emergency.summary)
    if report.unknown:
        parts = dict.fromkeys(str(each.part) for each in report.unknown)
        yield "not known", cell(", ".join(parts))


def counts(report: ReleaseReport) -> Iterator[tuple[str, str]]:
    """What a report has in numbers, by the part. What is not known is skipped here: `unknown` names it."""
    if report.timeline is not None:
        ended = Counter(each.outcome for each in report.timeline.stages)
        yield "stages", ", ".join(f"{ended[each]} {_WORDS.get(each, each)}" for each in _ORDER if ended[each])
    if report.proofs:
        yield "tests", "; ".join(f"{each.name}: {each.summary}" for each in report.proofs)
    if report.files:
        yield "files", f"{count_of(len(report.files), 'file')}, {size(sum(each.size for each in report.files))}"
    if report.images:
        platforms = sum(len(each.platforms) for each in report.images)
        yield "images", f"{count_of(len(report.images), 'image')} for {count_of(platforms, 'platform')} in all"
    if report.surfaces:
        states = Counter(each.state for each in report.surfaces)
        listed = ", ".join(f"{states[each]} {each}" for each in State if states[each])
        yield "surfaces", f"{count_of(len(report.surfaces), 'surface')}: {listed}"
    if report.attestations:
        yield "signatures", str(len(report.attestations))
    waived = [each for emergency in report.emergencies for each in emergency.results]
    if waived:
        passed = sum(each.verdict is GateVerdict.PASSED for each in waived)
        yield "waived gates", f"{len(waived)}, of which {passed} passed all the same"
    if report.warnings:
        yield "warnings", str(len(report.warnings))
