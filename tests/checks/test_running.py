"""Every check ends in a state of its own, whatever it raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from tests.support.checked import context_of

from unmoor import advice
from unmoor.checks.model import (
    CheckContext,
    CheckGroup,
    CheckLevel,
    CheckProblem,
    CheckRemark,
    CheckState,
    RepositoryCheck,
    skip,
)
from unmoor.checks.running import run_checks
from unmoor.cli.check_report import lines
from unmoor.errors import ConfigError, Denied, Interrupted, Refused, TimedOut, ToolMissing, Unknown, UnmoorError

WARNING = CheckProblem(what="it is odd", level=CheckLevel.WARNING)


def check(
    run: Callable[[CheckContext], Iterable[CheckProblem | CheckRemark]],
    level: CheckLevel = CheckLevel.CRITICAL,
    name: str = "one",
) -> RepositoryCheck:
    """Return a check that does this."""
    return RepositoryCheck(
        id=name, group=CheckGroup.FAST, level=level, title="it is so", reads="nothing", remedy="nothing", run=run
    )


def raising(error: BaseException) -> Callable[[CheckContext], Iterable[CheckProblem]]:
    """Return a check's function that raises."""

    def run(_context: CheckContext) -> Iterable[CheckProblem]:
        raise error

    return run


@pytest.mark.parametrize(
    ("problems", "level", "state"),
    [
        ([], CheckLevel.CRITICAL, CheckState.PASSED),
        ([CheckProblem(what="it is wrong")], CheckLevel.CRITICAL, CheckState.FAILED),
        ([CheckProblem(what="it is wrong")], CheckLevel.WARNING, CheckState.WARNED),
        ([WARNING], CheckLevel.CRITICAL, CheckState.WARNED),
        ([WARNING, CheckProblem(what="it is wrong")], CheckLevel.CRITICAL, CheckState.FAILED),
    ],
    ids=["nothing", "critical", "warning", "less", "both"],
)
def test_what_findings_mean(problems: list[CheckProblem], level: CheckLevel, state: CheckState) -> None:
    """A critical finding fails a check, any other is a warning."""
    report = run_checks(context_of({}), [check(lambda _: problems, level)])
    assert [each.state for each in report.results] == [state]
    assert bool(report.critical) is (state is CheckState.FAILED)


@pytest.mark.parametrize(
    "error", [ConfigError("it is wrong", where="a.toml", next_step=advice.REMOVE_FOLDER()), Refused("it is wrong")]
)
def test_an_error_of_the_project_is_a_finding(error: UnmoorError) -> None:
    """What reading the project raises is what is wrong with it."""
    (result,) = run_checks(context_of({}), [check(raising(error))]).results
    assert result.state is CheckState.FAILED
    assert result.problems == (CheckProblem(what="it is wrong", where=error.where, next_step=error.next_step),)


@pytest.mark.parametrize("error", [Unknown, ToolMissing, TimedOut, Denied])
def test_no_answer_is_no_pass(error: type[UnmoorError]) -> None:
    """A tool that is missing, takes too long or may not look leaves the question open."""
    report = run_checks(context_of({}), [check(raising(error("no answer", next_step=advice.REMOVE_FOLDER())))])
    assert [each.why for each in report.unknown] == ["no answer"]
    assert report.unknown[0].next_step == advice.REMOVE_FOLDER()


def test_a_bug_is_unknown() -> None:
    """A check that crashes is no pass, and the others run all the same."""
    checks = [check(raising(KeyError("x"))), check(lambda _: [CheckProblem(what="wrong")], name="two")]
    report = run_checks(context_of({}), checks)
    assert [each.state for each in report.results] == [CheckState.UNKNOWN, CheckState.FAILED]
    assert report.results[0].why == "the check itself failed: KeyError: 'x'"
    assert "Traceback" in report.results[0].crash


def test_what_stops_the_command_stops_it() -> None:
    """An interruption is no result."""
    with pytest.raises(Interrupted):
        run_checks(context_of({}), [check(raising(Interrupted("stopped")))])


def test_nothing_to_check_is_skipped() -> None:
    """The reason is part of the result; without services or a shell there is nothing to check either."""
    runs: list[Callable[[CheckContext], Iterable[CheckProblem]]] = [
        lambda _: skip("no Dockerfile"),
        lambda context: [CheckProblem(what=str(context.services()))],
        lambda context: [CheckProblem(what=str(context.programs()))],
    ]
    report = run_checks(context_of({}), [check(run, name=str(n)) for n, run in enumerate(runs)])
    assert {each.state for each in report.results} == {CheckState.SKIPPED}
    assert report.results[0].why == "no Dockerfile"


def test_an_ignored_check_does_not_run() -> None:
    """Its reason is shown."""
    report = run_checks(context_of({}), [check(raising(KeyError()))], ignored={"one": "known"})
    assert [(each.state, each.why) for each in report.results] == [(CheckState.IGNORED, "known")]


def test_findings_are_limited() -> None:
    """A file with endless faults fills no screen and no memory."""
    report = run_checks(context_of({}), [check(lambda _: (CheckProblem(what=str(n)) for n in range(10_000)))])
    assert len(report.results[0].problems) == 1001
    assert "the others are not listed" in report.results[0].problems[-1].what


def test_a_remark_changes_no_state() -> None:
    """What a check cannot see is printed, and the check still passes or fails by what it found."""
    remark = CheckRemark(what="half of it was seen")
    report = run_checks(context_of({}), [check(lambda _: [remark]), check(lambda _: [remark, WARNING], name="two")])
    assert [(each.state, each.remarks) for each in report.results] == [
        (CheckState.PASSED, ("half of it was seen",)),
        (CheckState.WARNED, ("half of it was seen",)),
    ]
    assert list(lines(report))[:2] == ["note: one: half of it was seen", "warning: two: it is odd"]
