"""Run checks: each ends in a state of its own, whatever it raises. Nothing that went wrong is taken for a pass."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from unmoor.advice import NOTHING
from unmoor.checks.model import (
    CheckContext,
    CheckLevel,
    CheckProblem,
    CheckRemark,
    CheckReport,
    CheckResult,
    CheckState,
    NotApplicable,
    RepositoryCheck,
)
from unmoor.errors import (
    BuildFailed,
    CheckFailed,
    ConfigError,
    Conflict,
    Incomplete,
    Interrupted,
    InvalidDist,
    Refused,
    Rejected,
    UnmoorError,
    Unsafe,
)
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import clean

# Errors that say what is wrong with the project. Any other leaves the question open.
_FINDINGS: Final = (
    *(BuildFailed, CheckFailed, ConfigError, Conflict, Incomplete, InvalidDist, Refused, Rejected, Unsafe),
)
_WIDTH: Final = 4
_MOST_PROBLEMS: Final = 1000


def run_checks(
    context: CheckContext,
    selected: Sequence[RepositoryCheck],
    *,
    ignored: Mapping[str, str] = MappingProxyType({}),
) -> CheckReport:
    """Run the checks side by side. ``ignored`` are the ids of those that do not run, each with the reason.

    Raises `Interrupted` and `KeyboardInterrupt`; every other error is the result of its check.
    """
    results: dict[str, CheckResult] = {}

    def work(check: RepositoryCheck) -> None:
        results[check.id] = _run(context, check)

    for each in selected:
        if each.id in ignored:
            results[each.id] = CheckResult(check=each, state=CheckState.IGNORED, why=ignored[each.id])
    failures = run_parallel((each for each in selected if each.id not in ignored), work, width=_WIDTH)
    for failure in failures:
        raise failure
    return CheckReport(results=tuple(results[each.id] for each in selected))


def _run(context: CheckContext, check: RepositoryCheck) -> CheckResult:
    started = time.monotonic()
    result = _result(context, check)
    return CheckResult(
        check=check,
        state=result.state,
        problems=result.problems,
        why=result.why,
        remarks=result.remarks,
        next_step=result.next_step,
        seconds=round(time.monotonic() - started, 3),
        crash=result.crash,
    )


def _result(context: CheckContext, check: RepositoryCheck) -> CheckResult:
    try:
        problems, remarks = _take(check.run(context))
    except NotApplicable as error:
        return CheckResult(check=check, state=CheckState.SKIPPED, why=str(error))
    except Interrupted:
        raise
    except _FINDINGS as error:
        problem = CheckProblem(what=error.what, where=error.where, next_step=error.next_step or error.otherwise)
        return _found(check, (problem,))
    except UnmoorError as error:
        why, step = str(error), error.next_step or error.otherwise
        return CheckResult(check=check, state=CheckState.UNKNOWN, why=why, next_step=step)
    except Exception as error:  # noqa: BLE001 - a bug in one check hides nothing that the others find
        why = f"the check itself failed: {type(error).__name__}: {clean(str(error))}"
        crash = "".join(traceback.format_exception(error))
        return CheckResult(check=check, state=CheckState.UNKNOWN, why=why, next_step=NOTHING, crash=crash)
    return _found(check, problems, remarks)


def _take(found: Iterable[CheckProblem | CheckRemark]) -> tuple[tuple[CheckProblem, ...], tuple[str, ...]]:
    problems: list[CheckProblem] = []
    remarks: list[str] = []
    for each in found:
        if isinstance(each, CheckRemark):
            remarks.append(each.what)
            continue
        problems.append(each)
        if len(problems) == _MOST_PROBLEMS:
            what = f"more than {_MOST_PROBLEMS} problems; the others are not listed"
            problems.append(CheckProblem(what=what, level=each.level))
            break
    return tuple(dict.fromkeys(problems)), tuple(remarks)


def _found(check: RepositoryCheck, problems: tuple[CheckProblem, ...], remarks: tuple[str, ...] = ()) -> CheckResult:
    is_critical = any((each.level or check.level) is CheckLevel.CRITICAL for each in problems)
    state = CheckState.FAILED if is_critical else CheckState.WARNED if problems else CheckState.PASSED
    return CheckResult(check=check, state=state, problems=problems, remarks=remarks)
