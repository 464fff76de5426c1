"""Run ``unmoor watch``: look at the releases, print what is found, and keep the one issue about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from unmoor.adapters.factory import open_listed
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, workflow_log
from unmoor.cli.kept_issue import IssueDocument, find_issue
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.session import echo_json
from unmoor.cli.status_run import CODES
from unmoor.cli.watch_look import ProjectWatch, Seen
from unmoor.errors import Unknown
from unmoor.ports.world import World
from unmoor.products.drift import AcceptedFinding, DriftFinding, NotKnown, RunningTag
from unmoor.products.surface_state import worst
from unmoor.publish.drift.ignore import accept, in_vain
from unmoor.publish.drift.notice import MARKER, read_keys, write_notice
from unmoor.render.actions import annotation
from unmoor.render.markdown import table
from unmoor.util.text import clean, count_of, list_some

_PROJECT = "(project)"
_HEAD = ("tag", "finding", "where", "what")
_UNKNOWN_HEAD = ("where", "tags", "why")


class WatchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``watch --json``.

    ``tags`` are those that were looked at, of ``known`` tags of the project; ``compared`` of them were compared with
    their manifests, the others by lists. ``running`` are tags that a run is still about. ``issue`` is null without
    ``--issue``.
    """

    world: str
    rehearsal: bool
    known: int
    compared: int
    tags: tuple[str, ...]
    findings: tuple[DriftFinding, ...]
    unknown: tuple[NotKnown, ...]
    running: tuple[RunningTag, ...]
    accepted: tuple[AcceptedFinding, ...]
    warnings: tuple[str, ...]
    issue: IssueDocument | None = None


def run(target: TargetOptions, *, tags: Sequence[str], since: float, issue: bool, as_json: bool) -> int:
    """Look, print, write what GitHub Actions shows, keep the issue, and return the exit code."""
    with Processes() as processes, processes.guarded():
        project, world = _open(target, processes)
        kept = find_issue(MARKER, world, processes) if issue else None
        services = open_listed(world, target.folder, processes, path=project.checkout.path)
        watch = ProjectWatch(
            project=project,
            world=world,
            services=services,
            processes=processes,
            options=RunOptions(target=target, engine=False),
        )
        # What the issue names stays in sight, however old it is.
        also = {tag for tag, _ in read_keys(kept.text)} if kept is not None else set()
        seen = watch.look(tags, since=since, also=also)
        findings, accepted = accept(seen.findings, project.settings.watch_ignore)
        warnings = tuple(in_vain(project.settings.watch_ignore, accepted, tags=seen.tags)) if not seen.unknown else ()
        if not as_json:
            _print(findings, seen)
        _tell(seen, findings, accepted, warnings)
        _tell_actions(findings, seen, project.ci)
        done = kept.keep(write_notice(findings, seen.unknown, accepted, kept.text)) if kept is not None else None
    if as_json:
        echo_json(
            WatchDocument(
                world=world.name,
                rehearsal=world.rehearsal,
                known=seen.known,
                compared=seen.compared,
                tags=seen.tags,
                findings=findings,
                unknown=seen.unknown,
                running=seen.running,
                accepted=accepted,
                warnings=warnings,
                issue=done,
            )
        )
    return exit_code(findings, seen.unknown)


def exit_code(findings: Sequence[DriftFinding], unknown: Sequence[NotKnown]) -> int:
    """The exit code of `status` for the worst finding. What is unknown counts only if nothing is found."""
    if findings:
        return CODES[worst(each.state for each in findings)]
    return Unknown.exit_code if unknown else 0


def _open(target: TargetOptions, processes: Processes) -> tuple[ResolvedProject, World]:
    """Resolve the project at the last commit of the checkout, and its world."""
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    project = resolve_project(checkout, checkout.head(), sources, RunContext.from_environ(os.environ))
    return project, open_world(target.world, project, repository=project.repository)


def _print(findings: Sequence[DriftFinding], seen: Seen) -> None:
    """Print what is found, and what is unknown apart from it."""
    if findings:
        for line in output.align_columns(_HEAD, [_row(each) for each in findings]):
            click.echo(line)
    if seen.unknown:
        click.echo(("\n" if findings else "") + "unknown, which is no drift:")
        for line in output.align_columns(_UNKNOWN_HEAD, [_unknown_row(each) for each in seen.unknown]):
            click.echo(f"  {line}")


def _row(each: DriftFinding) -> tuple[str, ...]:
    return (clean(each.tag) or _PROJECT, each.finding, each.surface, clean(each.what, 500))


def _unknown_row(each: NotKnown) -> tuple[str, ...]:
    return (each.surface, list_some([clean(tag) for tag in each.tags], 5) or _PROJECT, clean(each.why, 500))


def _tell(
    seen: Seen, findings: Sequence[DriftFinding], accepted: Sequence[AcceptedFinding], warnings: Sequence[str]
) -> None:
    """Print the messages: what fixes each finding, what is not looked into, and how many tags that was."""
    for each in findings:
        output.err(f"next:  {clean(each.tag) or _PROJECT}, {each.finding}: {each.next_step}")
    for run_of in seen.running:
        output.err(f"{clean(run_of.tag)}: a run has not ended: {clean(run_of.url)}")
    for one in accepted:
        finding = one.finding
        output.err(f"{clean(finding.tag) or _PROJECT}: {finding.finding} is accepted: {clean(one.reason)}")
    for warning in warnings:
        output.err(f"warning: {warning}")
    output.err(_summary(seen, findings))


def _summary(seen: Seen, findings: Sequence[DriftFinding]) -> str:
    unknown = f", {len(seen.unknown)} unknown" if seen.unknown else ""
    return f"{count_of(len(seen.tags), 'tag')} looked at: {count_of(len(findings), 'finding')}{unknown}"


def _tell_actions(findings: Sequence[DriftFinding], seen: Seen, context: RunContext) -> None:
    """Write annotations and the job summary, in a run of GitHub Actions."""
    if context.actions:
        for each in findings:
            text = f"{each.finding}: {each.what}; next: {each.next_step}"
            workflow_log.command(annotation("error", clean(each.tag) or _PROJECT, clean(text, 1000)))
        if seen.unknown:
            what = f"{count_of(len(seen.unknown), 'surface')} cannot be read; the job summary lists them"
            workflow_log.command(annotation("warning", "watch", what))
    if context.summary is not None:
        _append_summary(context.summary, findings, seen)


def _append_summary(path: Path, findings: Sequence[DriftFinding], seen: Seen) -> None:
    parts = ["## Releases\n\n", f"{_summary(seen, findings)}\n\n"]
    if findings:
        rows = [(*_row(each), clean(each.next_step, 1000)) for each in findings]
        parts += ["### Found\n\n", table((*_HEAD, "next step"), rows)]
    if seen.unknown:
        rows = [_unknown_row(each) for each in seen.unknown]
        parts += ["### Unknown, which is no drift\n\n", table(_UNKNOWN_HEAD, rows)]
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write("".join(parts))
