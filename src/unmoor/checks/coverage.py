"""The coverage that a report of coverage.py says: of the whole project, and of the lines that a change touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from unmoor import advice
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck, skip
from unmoor.errors import Unknown
from unmoor.util.text import clean, count_of, list_some

if TYPE_CHECKING:
    from unmoor.checks.coverage_report import CoverageReport
    from unmoor.checks.measured_files import MeasuredFiles

_MOST_FILES: Final = 50
_MOST_RANGES: Final = 10


def check_whole(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
    """Compare the coverage of the whole project with the threshold. Raises `NotApplicable`, `Unknown`."""
    from unmoor.checks.measured_files import locate

    threshold = _threshold(context)
    report = _read(context)
    measured = locate(report, context.source.names(), context.git.folder, context.source.read)
    faults = list(_faults(context, report, measured))
    yield from faults
    if any(each.level is not CheckLevel.WARNING for each in faults):
        return
    if not report.lists_all:
        listed = sum(len(each.lines) for each in report.files)
        why = "two of its folders have files of one name"
        yield CheckRemark(what=f"the report lists {listed} of the {report.lines} lines that it counts: {why}")
    if report.percentage < threshold:
        missed = report.lines - report.covered_lines
        yield CheckProblem(
            what=f"{_percent(report.percentage)} of the code is covered, and {threshold} % must be:"
            f" {missed:,} of {count_of(report.lines, 'line')} did not run{_branches(report)}",
            where=_name(context),
        )


def check_changes(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
    """Compare the coverage of the lines that a change touches. Raises `NotApplicable`, `Unknown`."""
    from unmoor.checks.coverage_report import share
    from unmoor.checks.measured_files import locate

    threshold = _threshold(context)
    report = _read(context)
    branch, commit = _base(context)
    touched = _touched(context, commit)
    measured = locate(report, context.source.names(), context.git.folder, context.source.read)
    if any(each.level is not CheckLevel.WARNING for each in _faults(context, report, measured)):
        raise Unknown(
            "the report is not of the present files, as the check coverage says",
            next_step=advice.WRITE_COVERAGE_REPORT(),
            retryable=False,
        )
    known, unlisted = _changed_lines(touched, measured)
    yield from unlisted
    count = sum(map(len, known.values()))
    covered = sum(sum(lines.values()) for lines in known.values())
    if not count and not unlisted:
        skip(f"no measured line changed since {clean(branch)}")
    if not count or share(covered, count) >= threshold:
        return
    yield CheckProblem(
        what=f"{_percent(share(covered, count))} of the lines that changed since {clean(branch)} are covered,"
        f" and {threshold} % must be: {count - covered:,} of {count_of(count, 'line')} did not run",
        where=_name(context),
    )
    yield from _uncovered(known)


def _changed_lines(
    touched: Mapping[str, frozenset[int]], measured: MeasuredFiles
) -> tuple[Mapping[str, Mapping[int, bool]], list[CheckProblem]]:
    """The measured lines among those that are touched, and a warning for each module that is not measured at all."""
    folders = {path.rpartition("/")[0] for path in measured.lines}
    known: dict[str, Mapping[int, bool]] = {}
    unlisted = []
    for path, lines in sorted(touched.items()):
        if path in measured.lines:
            known[path] = {number: ran for number, ran in measured.lines[path].items() if number in lines}
        elif lines and path.endswith(".py") and path.rpartition("/")[0] in folders:
            what = "the change touches it, and the report does not list it: no test imports it, or it is left out"
            unlisted.append(CheckProblem(what=what, where=path, level=CheckLevel.WARNING))
    return known, unlisted


def _base(context: CheckContext) -> tuple[str, str]:
    """The branch that changes are compared with, and the commit where HEAD left it. Raises `Unknown`."""
    named = context.environ.get("GITHUB_BASE_REF") or context.settings.workflows.branch or context.default_branch()
    branch = named or "main"
    commit = context.source.branch_point(branch)
    if commit is None:
        raise Unknown(
            f"this clone does not show where it left the branch {clean(branch, 100)} of the remote",
            next_step=advice.FETCH_DEFAULT_BRANCH(),
            retryable=False,
        )
    return branch, commit


def _uncovered(known: Mapping[str, Mapping[int, bool]]) -> Iterator[CheckProblem]:
    """Each file with changed lines that did not run."""
    missed = {path: sorted(number for number, ran in lines.items() if not ran) for path, lines in known.items()}
    files = sorted(path for path, numbers in missed.items() if numbers)
    for path in files[:_MOST_FILES]:
        what = f"changed and did not run: line {list_some([str(each) for each in missed[path]], _MOST_RANGES)}"
        yield CheckProblem(what=what, where=path, line=missed[path][0])
    if len(files) > _MOST_FILES:
        yield CheckProblem(what=f"{len(files) - _MOST_FILES} more files have changed lines that did not run")


def _touched(context: CheckContext, commit: str) -> Mapping[str, frozenset[int]]:
    """The lines of each file that are new since a commit. Raises `Unknown`."""
    from unmoor.checks.changed_lines import read_diff

    try:
        diff = read_diff(context.source.diff(commit))
    except ValueError as error:
        raise Unknown(
            f"git diff gives no diff that can be read: {clean(str(error))}",
            retryable=False,
            next_step=advice.LET_CHECK_READ(),
        ) from error
    found = {path: frozenset(number for each in ranges for number in each) for path, ranges in diff.items()}
    names = frozenset(context.source.names())
    for path in context.source.changed(commit):
        if path in names and path not in found and path.endswith(".py"):  # a new file that git does not track yet
            content = context.source.read(path) or b""
            found[path] = frozenset(range(1, content.count(b"\n") + 2))
    return found


def _threshold(context: CheckContext) -> int:
    """The percentage that must be covered, which the written ci.yml enforces, too."""
    from unmoor.workflows.commands import fail_under  # and all that a workflow is made of

    threshold = fail_under(context.files, context.settings.workflows)
    if not threshold:
        skip("coverage = 0 in [tool.unmoor.workflows]: there is no threshold")
    return threshold


def _read(context: CheckContext) -> CoverageReport:
    """Read the report that the command line names. Raises `NotApplicable` without one, `Unknown`."""
    if context.coverage is None:
        skip("no report is given: --coverage FILE")
    from unmoor.checks.coverage_report import read_report

    where = str(context.coverage)
    try:
        return read_report(context.coverage)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Unknown(
            "there is no such file", where=where, next_step=advice.WRITE_COVERAGE_REPORT(), retryable=False
        ) from error
    except ValueError as error:
        raise Unknown(
            f"this report cannot be read: {clean(str(error))}",
            where=where,
            next_step=advice.WRITE_COVERAGE_REPORT(),
            retryable=False,
        ) from error


def _faults(context: CheckContext, report: CoverageReport, measured: MeasuredFiles) -> Iterator[CheckProblem]:
    """Why a report says nothing about the present files."""
    from unmoor.checks.measured_files import why_unlike

    where = _name(context)
    if not report.lines:
        yield CheckProblem(what="the report measures no line of code", where=where)
        return
    if not measured.lines:
        names = list_some([clean(each, 100) for each in measured.elsewhere], 3)
        yield CheckProblem(what=f"the report measures no file of this repository, but {names}", where=where)
        return
    if measured.elsewhere:
        names = list_some([clean(each, 100) for each in measured.elsewhere], 3)
        what = f"the report counts files that this repository does not have: {names}"
        yield CheckProblem(what=what, where=where, level=CheckLevel.WARNING)
    for path, lines in measured.lines.items():
        if why := why_unlike(lines, context.source.read(path) or b"", path):
            yield CheckProblem(what=f"the report is of another version of this file: {why}", where=path)
            return
    if newer := _newer(context, report, measured):
        what = f"the report is older than {list_some(newer, 3)}"
        yield CheckProblem(what=what, where=where)


def _newer(context: CheckContext, report: CoverageReport, measured: MeasuredFiles) -> list[str]:
    """The measured files that were written after the report, and that no older commit has as they are.

    A checkout gives every file a new time, also when the report comes from an earlier job.
    """
    head = context.head
    changed = set(context.git.changed())
    committed = context.git.date_of(head) if head is not None else 0.0
    written = report.written or (context.coverage.stat().st_mtime if context.coverage is not None else 0.0)
    top = context.git.folder
    return [
        path
        for path in measured.lines
        if (path in changed or committed > written or head is None) and _time(top / path) > written
    ]


def _time(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def _name(context: CheckContext) -> str:
    """The report's path from the top of the repository, if it is there."""
    path = context.coverage or Path()
    top = context.git.folder
    return path.absolute().relative_to(top).as_posix() if path.absolute().is_relative_to(top) else str(path)


def _percent(value: float) -> str:
    """A percentage, rounded down, so that 89.999 does not read as 90."""
    return f"{int(value * 100) / 100:.2f} %"


def _branches(report: CoverageReport) -> str:
    if not report.branches:
        return ""
    return f", nor {report.branches - report.covered_branches:,} of {report.branches:,} branches"


WHOLE: Final = RepositoryCheck(
    id="coverage",
    group=CheckGroup.COVERAGE,
    level=CheckLevel.CRITICAL,
    title="The tests cover as much of the code as the settings want",
    reads="the report, the measured files, and coverage in [tool.unmoor.workflows] or fail_under",
    remedy="test more of the code; or run the tests again, and write the report of that run",
    run=check_whole,
)
CHANGES: Final = RepositoryCheck(
    id="coverage-of-changes",
    group=CheckGroup.COVERAGE,
    level=CheckLevel.CRITICAL,
    title="The tests cover as much of the lines that changed since the base branch",
    reads="the report, and git's diff from where HEAD left the base branch",
    remedy="test the lines that are listed",
    run=check_changes,
)
