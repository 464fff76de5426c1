"""Findings as SARIF."""

from __future__ import annotations

import json
from typing import Any

from tests.support.checked import context_of

from unmoor import advice
from unmoor.checks import optional_files, required_files
from unmoor.checks.model import CheckContext, CheckProblem
from unmoor.checks.running import run_checks
from unmoor.checks.sarif import as_sarif
from unmoor.errors import Unknown
from unmoor.util.values import replace


def _odd(_context: CheckContext) -> list[CheckProblem]:
    return [
        CheckProblem(what="first", where="a b.py", line=3, next_step=advice.REMOVE_FOLDER()),
        CheckProblem(what="second", where="the forge"),
    ]


def _silent(_context: CheckContext) -> list[CheckProblem]:
    raise Unknown("no answer")


def _log(*checks: Any, ignored: dict[str, str] | None = None) -> dict[str, Any]:
    report = run_checks(context_of({}), checks, ignored=ignored or {})
    (run,) = json.loads(as_sarif(report, "1.0"))["runs"]
    found: dict[str, Any] = run
    return found


def test_a_finding_has_its_place() -> None:
    """A path is quoted; what is no path is part of the message, with the next step."""
    run = _log(replace(required_files.CHECK, run=_odd))
    first, second = run["results"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.py"},
        "region": {"startLine": 3},
    }
    assert first["message"]["text"] == "first\nnext: remove the folder"
    assert first["level"] == "error"
    assert second["message"]["text"] == "the forge: second"
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_no_answer_is_no_clean_run() -> None:
    """A service must not close what it knew because a check could not look."""
    run = _log(replace(required_files.CHECK, run=_silent), optional_files.CHECK, ignored={"optional-files": "x"})
    assert run["invocations"][0]["executionSuccessful"] is False
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["required-files"]
