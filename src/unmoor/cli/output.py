"""What a run prints: the progress that listeners show, the result, and the lines at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from unmoor.ci.github_actions import RunContext
from unmoor.cli import traces, workflow_log
from unmoor.cli.exit_codes import message
from unmoor.core.events import Event, Listener, Report, StageWarned
from unmoor.core.outcome import Failed
from unmoor.core.stage import Reach
from unmoor.errors import Internal
from unmoor.products import CheckedDists, Dists, Release, Signed, Uploaded, Verified
from unmoor.products.signatures import BY_HAND
from unmoor.render import actions, words
from unmoor.render.advice import RESUMES, STARTS_AFRESH
from unmoor.util.text import clean, list_some

if TYPE_CHECKING:
    from unmoor.render.report.model import ReleaseReport


def err(line: str) -> None:
    """Print a line on stderr."""
    click.echo(line, err=True)


def listeners(context: RunContext, *, progress: str) -> tuple[Listener, ...]:
    """Choose the listeners of a run. ``progress`` is auto, live, plain, json, warnings or none."""
    chosen: list[Listener] = []
    if progress == "auto":
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        progress = "live" if is_terminal and not context.actions else "plain"
    if progress == "live":
        from rich.console import Console

        from unmoor.render.live import Live

        chosen.append(Live(Console(stderr=True)))
    elif progress == "plain":
        from unmoor.render.plain import Plain

        chosen.append(Plain(err))
    elif progress == "warnings":
        chosen.append(_print_warning)
    elif progress == "json":
        from unmoor.render.document import JsonLines

        chosen.append(JsonLines(err))
    if context.actions:
        chosen.append(actions.Annotations(workflow_log.command))
    # The trace comes last: its warning goes below what the others show.
    return (*chosen, *traces.listeners(os.environ, lambda text: err(f"warning: {text}")))


def _print_warning(event: Event) -> None:
    if isinstance(event, StageWarned):
        err(f"{click.style('warning:', fg='yellow')} {event.stage}: {clean(event.text, limit=2000)}")


def write_for_actions(
    context: RunContext, report: Report, *, leg_name: str = "", page: ReleaseReport | None = None
) -> None:
    """Write the job summary and the step outputs of GitHub Actions, as far as the run is there.

    The summary begins with the short form of the report, if there is one.
    """
    # The outputs first: later jobs depend on them.
    if context.output is not None:
        actions.write_outputs(context.output, outputs(report, leg_name=leg_name))
    if context.summary is not None:
        actions.write_summary(context.summary, report, page)


DOCUMENTS = {
    "manifest.json": "manifest-sha256",
    "images.json": "images-sha256",
    "prove-dists.json": "prove-dists-sha256",
    "rebuild.json": "rebuild-sha256",
    "prove-testpypi.json": "prove-testpypi-sha256",
}
"""The documents of a run, and the step outputs that hold their sha256."""


def outputs(report: Report, *, leg_name: str = "") -> dict[str, str]:
    """Return the values that later jobs need, by name. A value that is not known is missing."""
    values: dict[str, str] = {}
    release = report.product("tag")
    if isinstance(release, Release):
        values = {
            "tag": release.tag,
            "version": release.version,
            "commit": release.commit,
            "prerelease": str(release.prerelease).lower(),
            "latest": str(release.highest).lower(),
        }
    values |= {DOCUMENTS[name]: digest for name, digest in report.documents.items()}
    if any(each.info.name == "verify" for each in report.stages):
        values["verified"] = str(isinstance(report.product("verify"), Verified)).lower()
    return {f"{name}-{leg_name}": value for name, value in values.items()} if leg_name else values


def print_ending(report: Report, *, ceiling: Reach, next_command: str, rehearsal: bool = False) -> int:
    """Print how the run ended, and return its exit code.

    ``next_command`` is the command to continue with. A ``rehearsal`` that is run again does not continue.
    """
    again = STARTS_AFRESH if rehearsal else RESUMES
    failed = words.failures(report)
    # What made several stages fail, such as a run folder that is gone, is printed once.
    names: dict[tuple[str, ...], list[str]] = {}
    for stage in failed:
        if isinstance(stage.outcome, Failed):
            names.setdefault(tuple(message(stage.outcome.error, again=again)), []).append(stage.info.name)
    for lines, stages in names.items():
        err("")
        err(click.style(f"{', '.join(stages)} failed", bold=True))
        for line in lines:
            err(line)
    if not failed:
        _print_remaining(report, ceiling=ceiling, next_command=next_command)
        return 0
    err("")
    published = words.already_published(report)
    err("already uploaded or published:" if published else "nothing was uploaded or published")
    for line in published:
        err(f"  {line}")
    if skipped := words.not_reached(report):
        err(f"not reached: {', '.join(skipped)}")
    err(f"then:  {next_command}")
    first = failed[0].outcome
    return first.error.exit_code if isinstance(first, Failed) else 0


def conclusion(report: Report, *, tag: str, rehearsal: bool, unsigned: str = "") -> str:
    """Return the last line of a run without failures: what it achieved, and what it did not show. Empty if neither.

    ``unsigned`` is why the run signs nothing although it may, empty if it signs.
    """
    names = list_some([clean(each.name) for each in words.untested(report)], 3)
    checked = report.product("check-dists")
    local = list_some(checked.local, 3) if isinstance(checked, CheckedDists) else ""
    left_out = list_some([clean(each.what) for each in report.left_out], 3)
    limits = [
        f"left out: {left_out}" if left_out else "",
        f"not tested: {names}" if names else "",
        f"for this machine only, so PyPI refuses it: {local}" if local else "",
        _unsigned(report, unsigned),
    ]
    emergency = [each.gate for each in report.emergency.results if each.verdict != "passed"] if report.emergency else []
    limits += [f"in an emergency without {list_some(emergency)}"] if emergency else []
    what = "rehearsal passed" if rehearsal else "released"
    done = f"{what}: every surface holds {tag}, verified by digest" if report.product("verify") is not None else ""
    deployed = list_some([clean(each.what) for _, each in words.deployed(report) if each.is_there], 3)
    return "; ".join(filter(None, (done, f"deployed: {deployed}" if deployed else "", *limits)))


def _unsigned(report: Report, why: str) -> str:
    """Say what a run that sent something left unsigned; empty if nothing."""
    dists, signed = report.product("dists"), report.product("sign")
    if report.product("draft") is None:
        return ""
    if isinstance(dists, Dists) and BY_HAND in dists.decisions:
        return BY_HAND
    if isinstance(signed, Signed) and signed.why_not:
        what = "not everything is signed" if signed.bundles else "nothing is signed"
        return f"{what}: {clean(signed.why_not, limit=500)}"
    return f"this run signed nothing: {clean(why)}" if why and signed is None else ""


def internal_errors(report: Report) -> list[Internal]:
    """Return the failures that are bugs in unmoor."""
    errors = (stage.outcome.error for stage in words.failures(report) if isinstance(stage.outcome, Failed))
    return [error for error in errors if isinstance(error, Internal)]


def _print_remaining(report: Report, *, ceiling: Reach, next_command: str) -> None:
    for each in report.stages:
        if each.info.advisory and isinstance(each.outcome, Failed):
            err(f"warning: {each.info.name} failed, but is only advisory: {clean(str(each.outcome.error))}")
    remaining = [each.info.name for each in report.stages if words.state(each.outcome) == "planned"]
    if remaining and Reach.READS < ceiling < Reach.FINAL:
        err("")
        err(f"stopped before {', '.join(remaining)}, as requested")
        err(f"then:  {next_command}")


def table(report: Report, *, with_files: bool = True) -> list[str]:
    """Return a table of files and images by surface, with digests: as read back, else as the stages reported them.

    What was deployed, left out or not tested is listed below, with the reason: alone, if not ``with_files``.
    """
    rows: dict[tuple[str, str], str] = {}
    for each in report.stages if with_files else ():
        match report.product(each.info.name):
            case Dists(files=files):
                rows |= {("this machine", file.name): file.sha256 for file in files}
            case Uploaded(index=index, files=subjects):
                rows |= {(index, subject.name): subject.sha256 for subject in subjects}
            case Verified(held=held):
                rows |= {(h.surface, h.what): h.digest + (f"  ({h.pending})" if h.pending else "") for h in held}
            case _:
                pass
    lines = align_columns(("surface", "what", "sha256"), [(*place, digest) for place, digest in rows.items()])
    untested = [(each.name, each.detail) for each in words.untested(report)]
    left_out = [(each.what, each.why) for each in report.left_out]
    deployed = [
        (each.what, words.deployment_state(stage, each), each.address, each.identity, each.numbers)
        for stage, each in words.deployed(report)
    ]
    left_out += [
        (each, f"not in {product.what}") if product.is_there else (product.what, each)
        for _, product in words.deployed(report)
        for each in product.left_out
    ]
    lines += align_columns(("deployed", "state", "address", "identity", "counts"), deployed)
    return [*lines, *align_columns(("left out", "why"), left_out), *align_columns(("not tested", "why"), untested)]


def align_columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table as lines with aligned columns. Without rows there are no lines."""
    if not rows:
        return []
    lines = [[clean(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def progress_option(*, as_json: bool, quiet: bool) -> str:
    """Return the value for ``progress``: the variable UNMOOR_PROGRESS, else a default that fits the run."""
    return os.environ.get("UNMOOR_PROGRESS") or ("warnings" if quiet else "plain" if as_json else "auto")
