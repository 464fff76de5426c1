"""Run ``unmoor undo``: find what a release published, undo its stages in reverse order, and print what stays."""

from __future__ import annotations

import click

from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output, session
from unmoor.cli.output import err
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.events import Report, StageReport
from unmoor.core.outcome import Failed, Found, Skipped
from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import NotUndone, Publish, Push, Reach, Undone
from unmoor.render import words
from unmoor.util.filelock import exclusive_lock
from unmoor.util.text import clean


def run(target: TargetOptions, *, apply: bool) -> int:
    """Take back what a release published, or without ``apply`` print what would be taken back. Return the exit code."""
    options = RunOptions(target=target, ceiling=Reach.READS, quiet=True)
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        report = session.run_session(opened, options, processes)
        opened.request.folder.open()
        with exclusive_lock(opened.request.folder.path):
            lines = _undo_stages(opened.pipeline, report, apply=apply)
    for line in lines:
        click.echo(line)
    unknown = [each.info.name for each in report.stages if _is_unknown(each)]
    if unknown:
        err(f"could not check: {', '.join(unknown)}")
    elif not lines:
        err("found nothing to take back")
    if lines and not apply:
        err("nothing was changed; to apply the changes, add --apply")
    next_command = options.other_command("undo", opened.request.tag)
    return output.print_ending(report, ceiling=options.ceiling, next_command=next_command)


def _is_unknown(each: StageReport) -> bool:
    """Whether a stage may have published something, and could not look for it."""
    return each.info.reach >= Reach.REMOTE and isinstance(each.outcome, Skipped | Failed)


def _undo_stages(pipeline: Pipeline, report: Report, *, apply: bool) -> list[str]:
    """Undo the stages that found something, the last stage first. Return one line or more for each."""
    lines: list[str] = []
    for stage in reversed(pipeline.stages):
        outcome = report.outcome(stage.name)
        if not isinstance(outcome, Found):
            continue
        match stage:
            case Publish():
                lines.append(f"{stage.name}: stays. {clean(stage.remedy(outcome.product), limit=2000)}")
                lines += [
                    _undo_line(stage.name, answer) for answer in (stage.undo_partly(outcome.product) if apply else ())
                ]
            case Push() if not apply:
                lines.append(f"{stage.name}: would be undone if possible: {words.describe(outcome.product)}")
            case Push():
                lines.append(_undo_line(stage.name, stage.undo(outcome.product)))
            case _:
                pass
    return lines


def _undo_line(name: str, answer: Undone | NotUndone) -> str:
    match answer:
        case Undone(what):
            return f"{name}: undone. {clean(what, limit=2000)}"
        case NotUndone(why):
            return f"{name}: stays. {clean(why, limit=2000)}"
