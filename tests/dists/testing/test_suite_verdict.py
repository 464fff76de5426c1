"""What ran and failed is a failure, and what did not run is never a pass."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from unmoor.dists.testing.pytest_record import Raised, SuiteRecord, read_record
from unmoor.dists.testing.suite_advice import advise, advise_untested
from unmoor.dists.testing.suite_verdict import Ending, judge, stopped_by
from unmoor.dists.testing.suites import Suite

PASSED, UNTESTED, FAILED = Ending.PASSED, Ending.NOT_TESTED, Ending.FAILED
BEGIN: tuple[dict[str, Any], ...] = ({"kind": "loaded"}, {"kind": "session"})


def one(outcome: str, name: str = "t.py::a", when: str = "call", **more: object) -> tuple[dict[str, Any], ...]:
    """The lines of a test with one report."""
    return (
        {"kind": "start", "id": name},
        {"kind": "report", "id": name, "when": when, "outcome": outcome, "xfail": False, **more},
    )


def absent(missing: str, name: str = "t.py", error: str = "ModuleNotFoundError") -> tuple[dict[str, Any], ...]:
    """The lines of a module that cannot be collected."""
    return (
        {"kind": "raised", "id": name, "error": error, "missing": missing, "message": "m", "file": "/t.py"},
        {"kind": "collect", "id": name, "text": f"E   {error}"},
    )


def end(code: int) -> tuple[dict[str, Any], ...]:
    """The last line."""
    return ({"kind": "finish", "code": code},)


def record_of(*parts: tuple[dict[str, Any], ...]) -> SuiteRecord:
    """Read lines as pytest's plugin writes them."""
    return read_record(io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for part in parts for line in part)))


TWICE = (*one("failed"), *one("passed"))
INTERNAL = ({"kind": "internal", "error": "AttributeError", "message": "'NoneType' has no x", "text": "INTERNAL"},)
UNSTARTED = ({"kind": "loaded"}, {"kind": "unstarted", "error": "UserWarning", "message": "use y", "warning": True})
UNKNOWN = ({"kind": "loaded"}, {"kind": "unknown", "options": ["--cov=x"]})


@pytest.mark.parametrize(
    ("code", "parts", "ending", "why"),
    [
        (0, (BEGIN, one("passed"), end(0)), PASSED, "1 passed"),
        (0, (BEGIN, *(one("passed", f"t.py::{n}") for n in range(1204)), one("skipped"), end(0)), PASSED, "1,204 pa"),
        (0, (BEGIN, one("passed", xfail=True), end(0)), PASSED, "1 xpassed"),
        (0, (BEGIN, TWICE, end(0)), PASSED, "1 passed"),
        (0, (BEGIN, one("skipped"), one("skipped", "t.py::b"), end(0)), UNTESTED, "no test passed: 2 skipped"),
        (0, (BEGIN, one("skipped", xfail=True), end(0)), UNTESTED, "no test passed: 1 xfailed"),
        (0, (BEGIN, end(0)), UNTESTED, "pytest found no test to run"),
        (0, (), UNTESTED, "pytest found no test to run"),
        (0, (BEGIN, one("passed")), FAILED, "in or after t.py::a, with exit code 0"),
        (0, (BEGIN,), FAILED, "pytest ended before it was finished, with exit code 0"),
        (0, (BEGIN, one("passed"), one("failed", "b"), end(0)), FAILED, "1 passed, 1 failed, although its exit"),
        (1, (BEGIN, one("passed"), one("failed", "t.py::b"), end(1)), FAILED, "1 passed, 1 failed"),
        (1, (BEGIN, one("failed", when="setup"), end(1)), FAILED, "1 error"),
        (1, (BEGIN, (*one("passed"), one("failed", when="teardown")[1]), end(1)), FAILED, "1 passed, 1 error"),
        (1, (BEGIN, one("passed"), end(1)), FAILED, "1 passed, but its exit code is 1"),
        (1, (BEGIN, one("failed", when="???"), end(1)), FAILED, "1 failed"),
        (1, (BEGIN, absent("other"), end(1)), UNTESTED, "there is no module other"),
        (2, (BEGIN, absent("other"), end(2)), UNTESTED, "there is no module other"),
        (2, (BEGIN, absent("other"), absent("more", "u.py"), end(2)), UNTESTED, "there is no module more, other"),
        (2, (BEGIN, absent("own"), end(2)), FAILED, "1 error"),
        (2, (BEGIN, absent("other"), absent("own", "u.py"), end(2)), FAILED, "2 errors"),
        (2, (BEGIN, absent("other"), absent("", "u.py", "AttributeError"), end(2)), FAILED, "2 errors"),
        (2, (BEGIN, absent("other"), absent("", "u.py", "ImportError"), end(2)), FAILED, "2 errors"),
        (2, (BEGIN, absent("other")[1:], end(2)), FAILED, "1 error"),
        (2, (BEGIN, one("passed"), absent("other"), end(2)), FAILED, "1 passed, 1 error"),
        (2, (BEGIN, absent("other"), INTERNAL, end(2)), FAILED, "pytest itself failed: AttributeError: 'NoneType'"),
        (2, (BEGIN, end(2)), FAILED, "no test ran, but its exit code is 2"),
        (3, (BEGIN, INTERNAL), FAILED, "pytest itself failed: AttributeError: 'NoneType' has no x"),
        (3, (BEGIN, one("passed"), INTERNAL, end(3)), FAILED, "1 passed, then pytest itself failed"),
        (4, (UNSTARTED,), FAILED, "pytest could not start: UserWarning: use y"),
        (4, (UNKNOWN,), FAILED, "pytest does not know --cov=x"),
        (4, (({"kind": "loaded"},),), FAILED, "pytest refused its options or its configuration"),
        (5, (BEGIN, end(5)), UNTESTED, "pytest found no test to run"),
        (5, (BEGIN, ({"kind": "deselected", "count": 3},), end(5)), UNTESTED, "every test was deselected (3)"),
        (5, (BEGIN, one("failed"), end(5)), FAILED, "1 failed"),
        (-11, (BEGIN, one("passed")), FAILED, "pytest ended before it was finished, in or after t.py::a"),
        (70, (BEGIN, one("passed"), end(0)), FAILED, "1 passed, but its exit code is 70"),
    ],
)
def test_judged(code: int, parts: tuple[tuple[dict[str, Any], ...], ...], ending: Ending, why: str) -> None:
    """Every exit code is judged by what was recorded; without a passed test there is no pass."""
    found = judge(code, record_of(*parts), excuses=lambda raised: raised.missing != "own", is_pytest=True)
    assert (found.ending, why in found.why) == (ending, True), found.why


@pytest.mark.parametrize("record", [None, SuiteRecord()])
@pytest.mark.parametrize(("code", "ending"), [(0, UNTESTED), (1, FAILED), (2, FAILED), (4, FAILED), (5, UNTESTED)])
def test_without_a_record(record: SuiteRecord | None, code: int, ending: Ending) -> None:
    """A pytest that recorded nothing proves nothing."""
    assert judge(code, record, excuses=lambda _: True, is_pytest=True).ending is ending


@pytest.mark.parametrize(("code", "ending"), [(0, PASSED), (1, FAILED), (2, FAILED), (5, FAILED), (-6, FAILED)])
def test_another_runner(code: int, ending: Ending) -> None:
    """The exit code of unittest, nox, tox or make decides alone."""
    assert judge(code, None, excuses=lambda _: True, is_pytest=False).ending is ending


@pytest.mark.parametrize(
    "damage",
    [b"", b"\n", b"[]\n", b"{}\n", b'{"kind": "start"', b'{"kind": 3}\n', b"\xff\n", b'{"kind":"new"}\n', b"[" * 9999],
)
def test_a_damaged_record_is_read_as_far_as_possible(damage: bytes) -> None:
    """Lines that tests wrote into the record change nothing else."""
    lines = b"".join(json.dumps(line).encode() + b"\n" for line in (*BEGIN, *one("passed")))
    record = read_record(io.BytesIO(lines + damage + b"\n" + json.dumps(end(0)[0]).encode()))
    assert (record.counts, record.finished) == ("1 passed", True)


FOUND = Suite(command="pytest", requires=("pytest", "idna"), extras=("test",), why="found", project="own-one")
SET = Suite(command="pytest")


@pytest.mark.parametrize(
    ("suite", "code", "record", "words"),
    [
        (FOUND, 4, record_of(UNKNOWN), 'test-requires = ["own-one[test]", "pytest", "idna", "pytest-cov"]'),
        (SET, 4, record_of(UNKNOWN), 'paste this into pyproject.toml:\n[tool.unmoor]\ntest-requires = ["pytest-cov"]'),
        (SET, 4, SuiteRecord(unknown_options=("-n",)), '["pytest-xdist"]'),
        (SET, 4, SuiteRecord(unknown_options=("--benchmark-skip",)), '["pytest-benchmark"]'),
        (
            SET,
            4,
            SuiteRecord(unknown_options=("--own",)),
            "the plugins of pytest that have these options for the tests; to install more",
        ),
        (
            SET,
            4,
            SuiteRecord(unstarted=Raised(error="ModuleNotFoundError", missing="trustme.x")),
            "provide trustme for",
        ),
        (SET, 4, record_of(UNSTARTED), "turns warnings into errors (filterwarnings)"),
        (SET, 1, SuiteRecord(unstarted=Raised(error="KeyError")), "if a dependency is at fault, limit its version"),
        (SET, 4, SuiteRecord(unknown_options=("--no-success-flaky-report",)), '["flaky"]'),
        (SET, 4, SuiteRecord(), "correct what pytest says above"),
        (SET, 2, record_of(BEGIN, absent("own.x"), end(2)), "include own.x in the wheel"),
        (SET, 2, record_of(BEGIN, absent("other"), absent("own", "u"), end(2)), "the packages that provide other for"),
        (SET, 1, record_of(BEGIN, one("failed"), end(1)), "see which tests fail, and why"),
        (FOUND, 1, record_of(BEGIN, one("failed"), end(1)), 'set tests = "off" under [tool.unmoor]'),
        (SET, 1, None, "see which tests fail, and why"),
    ],
)
def test_advice(suite: Suite, code: int, record: SuiteRecord | None, words: str) -> None:
    """The next step fits what failed, and spells out the settings."""
    advice = advise(suite, record, frozenset({"own"}), code=code)
    assert words in advice
    assert ('tests = "off"' in advice) == (bool(suite.why))


def test_advice_for_untested_suites() -> None:
    """If no test ran, a warning has the setting that installs the missing packages, on one line."""
    advice = advise_untested(FOUND, record_of(BEGIN, absent("yaml.x"), absent("own"), end(2)), frozenset({"own"}))
    assert (
        'to install what they lack: test-requires = ["own-one[test]", "pytest", "idna", "pyyaml"] under [tool.unmoor]'
        in advice
    )
    assert "\n" not in advice


@pytest.mark.parametrize(
    ("code", "number", "by"),
    [
        (2, 2, "signal 2 (SIGINT), in or after t.py::a"),
        (1, 9, "signal 9 (SIGKILL), in or after t.py::a"),
        (1, 15, "signal 15 (SIGTERM), in or after t.py::a"),
        (1, 11, ""),
        (1, 6, ""),
        (1, 0, ""),
        (1, -5, ""),
        (0, 9, ""),
    ],
)
def test_a_signal_from_outside_is_no_failure_of_the_tests(code: int, number: int, by: str) -> None:
    """Whoever sent it; a crash is one, and so is what nobody sent."""
    record = record_of(BEGIN, one("failed"), ({"kind": "killed", "code": number},), end(code))
    assert stopped_by(code, record) == by


def test_without_a_record_nothing_is_known() -> None:
    """Another runner than pytest."""
    assert not stopped_by(1, None)
