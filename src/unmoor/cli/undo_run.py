"""What ``unmoor undo`` does: look, go back through the stages, and say what stays."""

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


def run(target: TargetOptions, *, really: bool) -> int:
    """Say what would be taken back, or with ``really`` take it back; return the exit code."""
    asked = RunOptions(target=target, ceiling=Reach.READS, quiet=True)
    with Processes() as processes, processes.guarded():
        opened = session.open_session(asked, processes)
        report = session.run_session(opened, asked, processes)
        opened.request.folder.open()
        with exclusive_lock(opened.request.folder.path):
            lines = list(_undone(opened.pipeline, report, really=really))
    for line in lines:
        click.echo(line)
    unseen = [each.info.name for each in report.stages if _unseen(each)]
    if unseen:
        err(f"unknown, since it could not be looked at: {', '.join(unseen)}")
    elif not lines:
        err("nothing of it was found outside this machine")
    if lines and not really:
        err("nothing was changed; to do it: add --apply")
    return output.close(report, ceiling=asked.ceiling, again=asked.looking("undo", opened.request.tag))


def _unseen(each: StageReport) -> bool:
    """Whether a stage would have left something outside, and could not look for it."""
    return each.info.reach >= Reach.REMOTE and isinstance(each.outcome, Skipped | Failed)


def _undone(pipeline: Pipeline, report: Report, *, really: bool) -> list[str]:
    """Go back through the stages, the last one first."""
    lines: list[str] = []
    for stage in reversed(pipeline.stages):
        outcome = report.outcome(stage.name)
        if not isinstance(outcome, Found):
            continue
        match stage:
            case Publish():
                lines.append(f"{stage.name}: stays. {clean(stage.remedy(outcome.product), limit=2000)}")
                lines += [
                    _undo_line(stage.name, answer) for answer in (stage.undo_partly(outcome.product) if really else ())
                ]
            case Push() if not really:
                lines.append(f"{stage.name}: would be taken back if it can be: {words.describe(outcome.product)}")
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
