"""How a run is talked about: which listeners hear it, and the closing words."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli.exit_codes import message
from unmoor.core.events import Event, Listener, Report, RunEnded, StageWarned
from unmoor.core.outcome import Failed
from unmoor.core.stage import Reach
from unmoor.errors import Internal
from unmoor.products import Dists, Release, Uploaded, Verified
from unmoor.render import actions, words
from unmoor.util.files import sha256_of
from unmoor.util.text import clean


def err(line: str) -> None:
    """Write one line of talk."""
    click.echo(line, err=True)


def listeners(context: RunContext, *, progress: str, folder: RunFolder) -> tuple[Listener, ...]:
    """Choose who hears a run: ``progress`` is auto, live, plain, json, warnings or none."""
    heard: list[Listener] = []
    if progress == "auto":
        able = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        progress = "live" if able and not context.actions else "plain"
    if progress == "live":
        from rich.console import Console

        from unmoor.render.live import Live

        heard.append(Live(Console(stderr=True)))
    elif progress == "plain":
        from unmoor.render.plain import Plain

        heard.append(Plain(err))
    elif progress == "warnings":
        heard.append(_warn)
    elif progress == "json":
        from unmoor.render.document import JsonLines

        heard.append(JsonLines(err))
    if context.actions:
        heard.append(actions.Annotations(err))
    if context.summary is not None:
        heard.append(actions.Summary(context.summary))
    if context.output is not None:
        heard.append(_outputs(context.output, folder))
    return tuple(heard)


def _warn(event: Event) -> None:
    if isinstance(event, StageWarned):
        err(f"{click.style('warning:', fg='yellow')} {event.stage}: {clean(event.text, limit=2000)}")


def _outputs(path: Path, folder: RunFolder) -> Listener:
    """Hand what later jobs need to GitHub Actions when the run ends."""

    def write(event: Event) -> None:
        if isinstance(event, RunEnded):
            actions.write_outputs(path, outputs(event.report, folder))

    return write


def outputs(report: Report, folder: RunFolder) -> dict[str, str]:
    """Name what later jobs need; what is not known is left out."""
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
    if report.product("dists") is not None and folder.manifest.exists():
        values["manifest-sha256"] = sha256_of(folder.manifest)
    values["verified"] = str(isinstance(report.product("verify"), Verified)).lower()
    return values


def close(report: Report, *, ceiling: Reach, again: str) -> int:
    """Say how the run ended and return its exit code. ``again`` is the command to go on with."""
    failed = words.failures(report)
    for stage in failed:
        if isinstance(stage.outcome, Failed):
            err("")
            err(click.style(f"{stage.info.name} failed", bold=True))
            for line in message(stage.outcome.error, kept=True):
                err(line)
    if not failed:
        _say_what_remains(report, ceiling=ceiling, again=again)
        return 0
    err("")
    outside = words.already_published(report)
    err("already outside this machine:" if outside else "this run has sent nothing anywhere")
    for line in outside:
        err(f"  {line}")
    err(f"then:  {again}")
    first = failed[0].outcome
    return first.error.exit_code if isinstance(first, Failed) else 0


def faults(report: Report) -> list[Internal]:
    """The faults of our own among the failures."""
    errors = (stage.outcome.error for stage in words.failures(report) if isinstance(stage.outcome, Failed))
    return [error for error in errors if isinstance(error, Internal)]


def _say_what_remains(report: Report, *, ceiling: Reach, again: str) -> None:
    for each in report.stages:
        if each.info.advisory and isinstance(each.outcome, Failed):
            err(f"warning: {each.info.name} failed and was only advisory: {clean(str(each.outcome.error))}")
    remaining = [each.info.name for each in report.stages if words.state(each.outcome) == "planned"]
    if remaining and Reach.READS < ceiling < Reach.FINAL:
        err("")
        err(f"stopped as asked before: {', '.join(remaining)}")
        err(f"then:  {again}")


def table(report: Report) -> list[str]:
    """What is where, by digest: from what was read back, else from what the stages gave."""
    rows: dict[tuple[str, str], str] = {}
    for each in report.stages:
        match report.product(each.info.name):
            case Dists(files=files):
                rows |= {("this machine", file.name): file.sha256 for file in files}
            case Uploaded(index=index, files=subjects):
                rows |= {(index, subject.name): subject.sha256 for subject in subjects}
            case Verified(held=held):
                rows |= {(h.surface, h.what): h.digest + (f"  ({h.pending})" if h.pending else "") for h in held}
            case _:
                pass
    return aligned(("surface", "what", "sha256"), [(*place, digest) for place, digest in rows.items()])


def aligned(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align columns; nothing where there are no rows."""
    if not rows:
        return []
    lines = [[clean(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def progress_option(*, as_json: bool, quiet: bool) -> str:
    """Choose the progress: what the environment says, else by what the run is for."""
    return os.environ.get("UNMOOR_PROGRESS") or ("warnings" if quiet else "plain" if as_json else "auto")
