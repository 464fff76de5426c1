"""What ``unmoor check`` prints: every finding on stdout, then the counts, and what that means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from unmoor import advice
from unmoor._version import __version__
from unmoor.advice import NextStep
from unmoor.checks.model import CheckLevel, CheckProblem, CheckReport, CheckResult, CheckState, RepositoryCheck
from unmoor.checks.places import is_path
from unmoor.ci.github_actions import RunContext
from unmoor.cli import workflow_log
from unmoor.cli.exit_codes import report_bug
from unmoor.errors import Refused, Unknown
from unmoor.filesystem.files import write_atomic
from unmoor.util.text import clean, count_of, list_some
from unmoor.util.values import replace

_WORDS: Final = {CheckLevel.CRITICAL: "error", CheckLevel.WARNING: "warning"}
_WITH_REASON: Final = (CheckState.UNKNOWN, CheckState.SKIPPED, CheckState.IGNORED)
_COUNTED: Final = (
    (CheckState.PASSED, "passed"),
    (CheckState.FAILED, "failed"),
    (CheckState.WARNED, "with warnings"),
    (CheckState.UNKNOWN, "unknown"),
    (CheckState.SKIPPED, "skipped"),
    (CheckState.IGNORED, "ignored"),
)


def finish(report: CheckReport, *, as_json: bool, sarif: Path | None, staged: bool, whole: bool) -> int:
    """Print the results, and return 0. ``whole`` says that no checks were selected.

    Raises `Refused` if a check failed, `Unknown` if one has no answer.
    """
    report = CheckReport(results=tuple(map(_with_traceback, report.results)))
    if as_json:
        from unmoor.cli.session import echo_json  # it has the whole release, which takes as long as the checks

        echo_json(document(report, staged=staged))
    else:
        for line in lines(report):
            click.echo(line)
    if sarif is not None:
        from unmoor.checks.sarif import as_sarif

        write_atomic(sarif, as_sarif(report, __version__).encode())
    if RunContext.from_environ(os.environ).actions:
        for line in annotation_lines(report):
            workflow_log.command(line)
    click.echo(counts(report), err=True)
    goal = "commit" if staged else "release"
    if report.critical:
        names = list_some([each.check.id for each in report.critical])
        raise Refused(f"not ready to {goal}: {names}", next_step=advice.CORRECT_CHECKED())
    if report.unknown:
        names = list_some([each.check.id for each in report.unknown])
        raise Unknown(f"not known to be ready to {goal}: {names} gave no answer", next_step=advice.LET_CHECKS_ANSWER())
    click.echo(f"ready to {goal}" if whole else "nothing critical found by these checks", err=True)
    return 0


def _with_traceback(result: CheckResult) -> CheckResult:
    """The result with the file that has the traceback of a bug in it."""
    return replace(result, next_step=report_bug(result.crash)) if result.crash else result


def lines(report: CheckReport) -> Iterator[str]:
    """Yield a line for each finding, and for each check that did not run or has no answer; below it what to do."""
    for result in report.results:
        for problem in result.problems:
            yield f"{_place(problem)}{_WORDS[result.level_of(problem)]}: {result.check.id}: {clean(problem.what, 1000)}"
            yield from _next(problem.next_step)
        for remark in result.remarks:
            yield f"note: {result.check.id}: {clean(remark, 1000)}"
        if result.state in _WITH_REASON:
            yield f"{result.state}: {result.check.id}: {clean(result.why, 1000)}"
            yield from _next(result.next_step)


def _place(problem: CheckProblem) -> str:
    where = clean(problem.where)
    line = f":{problem.line}" if where and problem.line is not None else ""
    return f"{where}{line}: " if where else ""


def _next(step: str) -> Iterator[str]:
    if step:
        yield f"  next: {clean(step, 1000)}"


def annotation_lines(report: CheckReport) -> Iterator[str]:
    """Yield the workflow commands that show the findings on the page of a run, and in the files of its commit."""
    from unmoor.render.actions import annotation  # it knows the products of stages

    for result in report.results:
        for problem in result.problems:
            file, line = (clean(problem.where), problem.line or 1) if is_path(problem.where) else ("", 0)
            what = "; ".join(filter(None, (clean(problem.what, 1000), clean(problem.next_step, 1000))))
            yield annotation(_WORDS[result.level_of(problem)], result.check.id, what, file=file, line=line)
        if result.state is CheckState.UNKNOWN:
            yield annotation("warning", result.check.id, f"unknown: {clean(result.why, 1000)}")


def counts(report: CheckReport) -> str:
    """Say how many checks there were, and how they ended."""
    ended = [f"{number} {word}" for state, word in _COUNTED if (number := len(report.of(state)))]
    return f"{count_of(len(report.results), 'check')}: {', '.join(ended) or 'nothing to do'}"


def document(report: CheckReport, *, staged: bool) -> dict[str, Any]:
    """The results for a program."""
    return {
        "staged": staged,
        "ready": not report.critical and not report.unknown,
        "counts": {state: len(report.of(state)) for state, _ in _COUNTED},
        "checks": [_document_of(each) for each in report.results],
    }


def _document_of(result: CheckResult) -> dict[str, Any]:
    return {
        "id": result.check.id,
        "group": result.check.group,
        "level": result.check.level,
        "state": result.state,
        "why": result.why,
        "remarks": list(result.remarks),
        "next": _step(result.next_step),
        "seconds": result.seconds,
        "problems": [
            {
                "what": each.what,
                "where": each.where,
                "line": each.line,
                "level": result.level_of(each),
                "next": _step(each.next_step),
            }
            for each in result.problems
        ],
    }


def _step(step: NextStep) -> dict[str, Any] | None:
    return {"ids": step.ids, "text": str(step)} if step else None


def print_list(checks: Sequence[RepositoryCheck], *, as_json: bool) -> int:
    """Print what the checks are, and return 0."""
    if as_json:
        from unmoor.cli.session import echo_json  # as above

        keys = ("id", "group", "level", "title", "reads", "remedy")
        echo_json([{key: getattr(each, key) for key in keys} for each in checks])
        return 0
    from unmoor.cli import output  # as above

    rows = [(each.id, each.group, each.level, each.title) for each in checks]
    for line in output.align_columns(("check", "group", "level", "what must be true"), rows):
        click.echo(line)
    return 0
