"""The page of a release: first how it ended and what needs attention, then everything that its report knows.

The page shows what the report holds and decides nothing. Each part names what is not known of it, and an empty part
without such a reason says that there is nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from unmoor.products import Proof, Result, Subject
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.render.html.notes import render_notes
from unmoor.render.html.page import render_page
from unmoor.render.report.model import ReleaseReport, ReportFile, ReportPart, Timeline, TimelineStage
from unmoor.render.report.times import bounded, moment, span
from unmoor.util.text import count_of, size

if TYPE_CHECKING:
    from markupsafe import Markup

_WIDTH: Final = 1000  # of the picture of a bar: the whole run
_THINNEST: Final = 6
_SHOWN: Final = 4
_OUTCOMES: Final = {"made": "done", "found": "already there", "unasked": "not requested"}


class SurfaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A surface. ``items`` says how many of its items are complete, empty if it has none."""

    name: str
    url: str
    state: str
    items: str
    note: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An item on one surface. ``seen`` is the digest there if it is not the expected one."""

    surface: str
    state: str
    seen: str
    note: str


class PlacedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One digest under one name, and the surfaces that it is on or should be on."""

    name: str
    digest: str
    places: tuple[Place, ...]


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of the timeline. ``bar`` is the path of its bar, empty for a stage that did not begin."""

    name: str
    text: str
    outcome: str
    word: str
    reach: str
    advisory: bool
    begin: str
    took: str
    bar: str


class ProofRows(msgspec.Struct, frozen=True, kw_only=True):
    """A proof. ``bytes_text`` says which bytes it is about, and ``subjects`` are those that have to be named."""

    name: str
    results: tuple[Result, ...]
    bytes_text: str
    subjects: tuple[Subject, ...]


class ReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """What the template prints besides the report.

    ``word`` says how it stands. ``brief`` is what people look for first, each empty if it is not known.
    ``notes`` are ``None`` if they are shown as they are written.
    """

    title: str
    word: str
    brief: Mapping[str, str]
    began: str
    took: str
    written: str
    ids: Mapping[ReportPart, str]
    titles: Mapping[ReportPart, str]
    unknown_parts: tuple[tuple[str, str], ...]
    surfaces: tuple[SurfaceRow, ...]
    placed: tuple[PlacedRow, ...]
    stages: tuple[StageRow, ...]
    files: str
    proofs: tuple[ProofRows, ...]
    notes: Markup | None
    needs_attention: bool

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """The parts, by id and title."""
        first = (("attention", "Needs attention"),) if self.needs_attention else ()
        return (*first, *((self.ids[part], self.titles[part]) for part in ReportPart))

    @property
    def is_as_expected(self) -> bool:
        """Whether each item is on its surfaces with the expected digest."""
        return all(place.state == State.COMPLETE for each in self.placed for place in each.places)


def render(report: ReleaseReport) -> str:
    """Return the page as HTML."""
    return render_page("release.html", report=report, page=_page(report), parts=ReportPart).decode()


def _page(report: ReleaseReport) -> ReleasePage:
    timeline = report.timeline
    ids = {part: str(part).replace(" ", "-") for part in ReportPart}
    titles = {part: str(part).capitalize() for part in ReportPart}
    name = " ".join(filter(None, (report.project, report.version or report.tag)))
    surfaces = tuple(_surface(each) for each in report.surfaces)
    return ReleasePage(
        title=f"{'Rehearsal' if report.rehearsal else 'Release'} of {name}",
        word=_word(report),
        brief=_brief(report),
        began=moment(timeline.started) if timeline else "",
        took=span(timeline.seconds) if timeline else "",
        written=moment(report.writer.at),
        ids=ids,
        titles=titles,
        unknown_parts=tuple((ids[part], titles[part]) for part in ReportPart if report.unknown_of(part)),
        surfaces=surfaces,
        placed=tuple(_placed(report)),
        stages=_stages(timeline) if timeline else (),
        files=f"{count_of(len(report.files), 'file')}, {size(sum(each.size for each in report.files))}",
        proofs=tuple(_proof(report.files, each) for each in report.proofs),
        notes=render_notes(report.notes),
        needs_attention=any(each.state != State.COMPLETE for each in surfaces)
        or any((report.failures, report.emergencies, report.warnings, report.left_out, report.unknown)),
    )


def _word(report: ReleaseReport) -> str:
    """How it stands, in a word: a run that failed or ended early says that, whatever the surfaces hold."""
    if report.failures:
        return "failed"
    # A run that was asked for less reads no surface, and is no less complete for it.
    ended_early = report.state is State.UNKNOWN and not report.exit_code
    return "in part" if ended_early else str(report.state)


def _brief(report: ReleaseReport) -> dict[str, str]:
    """What people look for first: what is where, tested and signed, and who approved it."""
    surfaces = (each.state for each in report.surfaces)
    verdicts = (each.verdict for proof in report.proofs for each in proof.results)
    said = {
        "surfaces": (ReportPart.SURFACES, _counted(surfaces), "nothing is anywhere"),
        "tests": (ReportPart.PROOFS, _counted(verdicts), "nothing was tested"),
        "signed": (ReportPart.ATTESTATIONS, _counted(each.judged for each in report.attestations), "nothing"),
        "approved": (ReportPart.APPROVALS, _approved(report), "nobody was asked"),
    }
    return {name: text or ("" if report.unknown_of(part) else no) for name, (part, text, no) in said.items()}


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(map(str, words)).items())


def _approved(report: ReleaseReport) -> str:
    shown = [f"{each.state} by {each.who} ({each.environment})" for each in report.approvals[:_SHOWN]]
    more = len(report.approvals) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def _surface(surface: SurfaceState) -> SurfaceRow:
    complete = sum(item.state is State.COMPLETE for item in surface.items)
    return SurfaceRow(
        name=surface.surface,
        url=surface.url,
        state=str(surface.state),
        items=f"{complete} of {count_of(len(surface.items), 'item')}" if surface.items else "",
        note=surface.note,
    )


def _placed(report: ReleaseReport) -> Iterator[PlacedRow]:
    """What is where: each digest once under its name, in the order of the surfaces."""
    found: dict[tuple[str, str], list[Place]] = {}
    for surface in report.surfaces:
        for item in surface.items:
            found.setdefault((item.name, item.expected or item.seen or ""), []).append(_place(surface.surface, item))
    for (name, digest), places in found.items():
        yield PlacedRow(name=name, digest=digest, places=tuple(places))


def _place(surface: str, item: Item) -> Place:
    differs = item.seen and item.expected and item.seen != item.expected
    return Place(surface=surface, state=str(item.state), seen=(item.seen or "") if differs else "", note=item.note)


def _stages(timeline: Timeline) -> tuple[StageRow, ...]:
    """The rows of the timeline, each with a bar on the scale of the whole run."""
    ends = (bounded(each.begin) + bounded(each.seconds) for each in timeline.stages if each.begin is not None)
    whole = max(bounded(timeline.seconds), *ends, 0.0) or 1.0
    return tuple(_stage(each, whole) for each in timeline.stages)


def _stage(stage: TimelineStage, whole: float) -> StageRow:
    begin = took = bar = ""
    if stage.begin is not None:
        at = bounded(stage.begin)
        begin, took = span(at), span(stage.seconds)
        left = min(round(_WIDTH * at / whole), _WIDTH - _THINNEST)
        right = min(round(_WIDTH * (at + bounded(stage.seconds)) / whole), _WIDTH)
        bar = f"M{left} 5H{max(right, left + _THINNEST)}"
    return StageRow(
        name=stage.name,
        text=stage.text,
        outcome=stage.outcome,
        word=_OUTCOMES.get(stage.outcome, stage.outcome),
        reach=stage.reach,
        advisory=stage.advisory,
        begin=begin,
        took=took,
        bar=bar,
    )


def _proof(files: tuple[ReportFile, ...], proof: Proof) -> ProofRows:
    """Compare the bytes that were tested with those of the release, and name them unless they are the same."""
    released = {(each.name, each.sha256): each.kind for each in files}
    tested = {(each.name, each.sha256) for each in proof.subjects}
    built = {each for each, kind in released.items() if kind in {"wheel", "sdist"}}
    subjects: tuple[Subject, ...] = ()
    if not tested:
        text = "It is not known which bytes these ran on."
    elif built and built <= tested <= released.keys():
        text = f"On the bytes of this release: its wheels and sdist, {count_of(len(built), 'file')} by sha256."
    else:
        others = len(tested - released.keys())
        text = f"On {len(tested) - others} of the files above, by sha256"
        text += f", and on {count_of(others, 'other file')}:" if others else ":"
        # Images are none of the files, and have digests of their own.
        text = text if others < len(tested) else "On none of the files above, but on these bytes:"
        subjects = proof.subjects
    return ProofRows(name=proof.name, results=proof.results, bytes_text=text, subjects=subjects)
