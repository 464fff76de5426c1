"""Judge what a test suite did. What ran and failed is a failure, and what did not run is never a pass.

=====================================================  ==========
what happened                                          verdict
=====================================================  ==========
exit code 0, and a test passed                         passed
exit code 0, but every test was skipped or deselected  not tested
no test was found (exit code 5 of pytest)              not tested
no test began, and every module that pytest could      not tested
not collect lacks a module that is not the project's
anything else                                          failed
=====================================================  ==========

Source: `pytest.ExitCode`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import msgspec

from unmoor.dists.testing.pytest_record import Raised, SuiteRecord
from unmoor.ports.exit_codes import exit_code, killer
from unmoor.util.text import clean, list_some

_TESTS_FAILED, _INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR, _NOTHING_COLLECTED = 1, 2, 3, 4, 5


class Ending(Enum):
    """How a suite ended."""

    PASSED = "passed"
    NOT_TESTED = "not tested"
    FAILED = "failed"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """How a suite ended, and in one line why: the numbers of its tests, if some began."""

    ending: Ending
    why: str


def stopped_by(code: int, record: SuiteRecord | None) -> str:
    """What from outside stopped pytest or one of its workers, as "stopped by …" continues; empty if nothing did.

    Tests that were stopped say nothing about the project. A worker that crashes fails by itself.
    """
    by = killer(-record.killed) if code and record is not None and record.killed > 0 else ""
    during = f", in or after {clean(record.last)}" if by and record is not None and record.last else ""
    return by + during


def judge(code: int, record: SuiteRecord | None, *, excuses: Callable[[Raised], bool], is_pytest: bool) -> Judgement:
    """Judge a suite by its exit code and by what pytest recorded.

    ``excuses`` says whether a module could not be collected for a reason that says nothing about the project.
    ``is_pytest`` is false for another runner, whose exit code decides alone.
    """
    if not is_pytest:
        return Judgement(ending=Ending.FAILED if code else Ending.PASSED, why=exit_code(code) if code else "")
    record = record or SuiteRecord()
    if code == 0:
        return _judge_success(record)
    if code == _NOTHING_COLLECTED and not record.begun:
        return Judgement(ending=Ending.NOT_TESTED, why=_nothing(record))
    if code in {_TESTS_FAILED, _INTERRUPTED} and _lacks_only_modules(record, excuses):
        missing = sorted({clean(each.missing) for each in record.collection})
        return Judgement(
            ending=Ending.NOT_TESTED, why=f"pytest cannot import them: there is no module {list_some(missing, 5)}"
        )
    return Judgement(ending=Ending.FAILED, why=_why_failed(code, record))


def _judge_success(record: SuiteRecord) -> Judgement:
    if record.failures or record.collection or record.internal:
        return Judgement(ending=Ending.FAILED, why=f"{record.counts}, although its exit code is 0")
    if record.opened and not record.finished:
        return Judgement(ending=Ending.FAILED, why=f"{_unfinished(record)}, with exit code 0")
    if record.passed or record.xpassed:
        return Judgement(ending=Ending.PASSED, why=record.counts)
    return Judgement(ending=Ending.NOT_TESTED, why=_nothing(record))


def _nothing(record: SuiteRecord) -> str:
    """Why the tests prove nothing, although none failed."""
    if record.begun:
        return f"no test passed: {record.counts}"
    if record.deselected:
        return f"every test was deselected ({record.deselected:,})"
    return "pytest found no test to run"


def _lacks_only_modules(record: SuiteRecord, excuses: Callable[[Raised], bool]) -> bool:
    """Whether no test began, and modules that are missing explain everything that pytest could not collect."""
    return (
        not record.begun
        and record.internal is None
        and record.finished
        and bool(record.collection)
        and all(each.missing and excuses(each) for each in record.collection)
    )


def _why_failed(code: int, record: SuiteRecord) -> str:
    if record.internal is not None:
        ran = f"{record.counts}, then " if record.begun else ""
        return f"{ran}pytest itself failed: {_said(record.internal)}"
    if record.unstarted is not None:
        return f"pytest could not start: {_said(record.unstarted)}"
    if code == _USAGE_ERROR and not record.begun:
        options = ", ".join(map(clean, record.unknown_options))
        return f"pytest does not know {options}" if options else "pytest refused its options or its configuration"
    if record.opened and not record.finished:
        return _unfinished(record)
    if record.failures or record.collection:
        return record.counts
    return f"{record.counts}, but its exit code is {code}"


def _unfinished(record: SuiteRecord) -> str:
    last = f", in or after {clean(record.last)}" if record.last else ""
    return f"pytest ended before it was finished{last}"


def _said(raised: Raised) -> str:
    return clean(f"{raised.error}: {raised.message}" if raised.message else raised.error)
