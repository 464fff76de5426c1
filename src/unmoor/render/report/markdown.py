"""The whole report as Markdown: what ``unmoor report`` prints, to be read as it is or pasted into an issue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from unmoor.render.markdown import block, cell, table
from unmoor.render.report.model import ReleaseReport, ReportImage, ReportPart, Timeline
from unmoor.render.report.summary import summary
from unmoor.render.report.times import moment, span
from unmoor.util.text import clean, count_of, size


def markdown(report: ReleaseReport) -> str:
    """Return the report as GitHub's Markdown. What is not known is in its part, with the reason."""
    parts = [summary(report)]
    for part in ReportPart:
        made = "".join(_PARTS[part](report))
        unknown = [(each.what, each.why) for each in report.unknown_of(part)]
        made += table(("not known", "why"), unknown) if unknown else ""
        parts += [f"### {part.capitalize()}\n\n", made or f"{_NONE[part]}\n\n"]
    parts.append(f"{_written(report)}\n")
    return "".join(parts)


def _written(report: ReleaseReport) -> str:
    writer = report.writer
    when = moment(writer.at)
    by = f"Written by unmoor {clean(writer.version, 60)} {clean(writer.command, 40)} on {clean(writer.machine, 100)}"
    return cell(f"{by}{f', {when}' if when else ''}; the servers: {clean(report.world, 60)}.")


def _surfaces(report: ReleaseReport) -> Iterator[str]:
    rows = []
    for each in report.surfaces:
        rows += [(each.surface, item.state, item.name, item.shown_digest, item.note) for item in each.items]
        if each.note or not each.items:
            rows.append((each.surface, each.state, each.note, "", ""))
    if rows:
        yield table(("surface", "state", "what", "digest", ""), rows)
    if report.left_out:
        yield table(("left out", "why"), [(each.what, each.why) for each in report.left_out])


def _timeline(report: ReleaseReport) -> Iterator[str]:
    timeline = report.timeline
    if timeline is not None:
        yield _stages(timeline)
    for failure in report.failures:
        yield f"> **{cell(failure.stage)} failed**: {cell(failure.what)}"
        yield f" ({cell(failure.where)})" if failure.where else ""
        yield f". Next: {cell(failure.next_step)}\n\n" if failure.next_step else "\n\n"
    if report.warnings:
        yield table(("warning of", "text"), [(each.stage, each.text) for each in report.warnings])


def _stages(timeline: Timeline) -> str:
    began = moment(timeline.started)
    rows = [
        (
            each.name,
            each.outcome,
            "-" if each.begin is None else span(each.begin),
            "-" if each.begin is None else span(each.seconds),
            each.text,
        )
        for each in timeline.stages
    ]
    head = ("stage", "state", "began after", "took", "what")
    source = f"By {timeline.source}" + (f", which began {began}." if began else ".")
    return f"{cell(source)}\n\n{table(head, rows)}"


def _files(report: ReleaseReport) -> Iterator[str]:
    if report.files:
        rows = [(each.name, each.kind, size(max(0, each.size)), each.sha256) for each in report.files]
        yield table(("file", "kind", "size", "sha256"), rows)


def _proofs(report: ReleaseReport) -> Iterator[str]:
    for each in report.proofs:
        yield f"{cell(f'{each.name}: {each.summary}')}\n\n"
        rows = [(r.name, r.verdict, ": ".join(filter(None, (r.counts, r.detail)))) for r in each.results]
        yield table(("tested", "verdict", "detail"), rows)
        yield table(("file", "sha256"), [(subject.name, subject.sha256) for subject in each.subjects])


def _images(report: ReleaseReport) -> Iterator[str]:
    if report.images:
        rows = [row for each in report.images for row in _image_rows(each)]
        yield table(("image", "platform", "digest", "size", "layers", "tags"), rows)


def _image_rows(image: ReportImage) -> Iterator[tuple[str, ...]]:
    name = f"{image.name} ({image.target})" if image.target else image.name
    if len(image.platforms) != 1:
        yield name, "all", image.digest, "", "", ", ".join(image.tags)
    for each in image.platforms:
        measured = "not known" if each.size is None else size(max(0, each.size))
        layers = "not known" if each.layers is None else str(len(each.layers))
        tags = ", ".join(image.tags) if len(image.platforms) == 1 else ""
        yield name, each.platform, each.digest or image.digest, measured, layers, tags


def _notes(report: ReleaseReport) -> Iterator[str]:
    if report.notes:
        source = f"{cell(f'From {report.notes_source}.')}\n\n" if report.notes_source else ""
        yield f"{source}{block(report.notes, 'markdown')}\n"


def _attestations(report: ReleaseReport) -> Iterator[str]:
    if report.attestations:
        rows = [(each.subject, each.judged, each.identity, each.where, each.note) for each in report.attestations]
        yield table(("signature of", "state", "signed by", "where", ""), rows)


def _approvals(report: ReleaseReport) -> Iterator[str]:
    if report.approvals:
        rows = [(each.environment, each.state, each.who, each.comment) for each in report.approvals]
        yield table(("environment", "state", "by", "comment"), rows)


def _emergencies(report: ReleaseReport) -> Iterator[str]:
    for each in report.emergencies:
        yield f"{cell(each.summary)}\n\n"
        rows: Sequence[tuple[str, ...]] = [(r.gate, r.verdict, r.detail) for r in each.results]
        if rows:
            yield table(("waived", "result", "detail"), rows)


def _tools(report: ReleaseReport) -> Iterator[str]:
    if report.tools:
        rows = [(each.name, each.version, each.sha256 or "-") for each in report.tools]
        yield table(("tool", "version", "sha256 of its wheel"), rows)
    if report.decisions:
        counted = count_of(len(report.decisions), "setting")
        yield f"{cell(f'{counted} unlike the default: ' + '; '.join(report.decisions))}\n\n"


_PARTS: Final = {
    ReportPart.SURFACES: _surfaces,
    ReportPart.TIMELINE: _timeline,
    ReportPart.FILES: _files,
    ReportPart.PROOFS: _proofs,
    ReportPart.IMAGES: _images,
    ReportPart.NOTES: _notes,
    ReportPart.ATTESTATIONS: _attestations,
    ReportPart.APPROVALS: _approvals,
    ReportPart.EMERGENCIES: _emergencies,
    ReportPart.TOOLS: _tools,
}
_NONE: Final = {
    ReportPart.SURFACES: "There is nothing on any surface.",
    ReportPart.TIMELINE: "There was no stage.",
    ReportPart.FILES: "There are no files.",
    ReportPart.PROOFS: "Nothing was tested.",
    ReportPart.IMAGES: "There are no images.",
    ReportPart.NOTES: "The notes are empty.",
    ReportPart.ATTESTATIONS: "Nothing is signed.",
    ReportPart.APPROVALS: "Nobody was asked to approve it.",
    ReportPart.EMERGENCIES: "No gate was waived.",
    ReportPart.TOOLS: "No tool is named.",
}
