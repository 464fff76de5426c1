"""Write what checks found as SARIF 2.1.0, the form in which code scanning services take findings.

The few properties that are needed are written here, for the reason that `unmoor.scanning.sarif` gives.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from unmoor.checks.model import CheckLevel, CheckProblem, CheckReport, CheckResult, CheckState, RepositoryCheck
from unmoor.checks.places import is_path
from unmoor.util.text import clean

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {CheckLevel.CRITICAL: "error", CheckLevel.WARNING: "warning"}


def as_sarif(report: CheckReport, version: str) -> str:
    """Return the findings as a SARIF log, with a rule for every check that ran.

    A check without an answer is an invocation that did not end well, so that the results are not taken for all.
    """
    ran = [each for each in report.results if each.state is not CheckState.IGNORED]
    notifications = [
        {
            "level": "error",
            "descriptor": {"id": each.check.id},
            "message": {"text": f"no answer: {clean(each.why, 1000)}"},
        }
        for each in report.unknown
    ]
    run = {
        "tool": {
            "driver": {
                "name": "unmoor check",
                "semanticVersion": version,
                "rules": [_rule(each.check) for each in ran],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not notifications, "toolExecutionNotifications": notifications}],
        "results": [_result(each, number, problem) for number, each in enumerate(ran) for problem in each.problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(check: RepositoryCheck) -> dict[str, Any]:
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "help": {"text": check.remedy},
        "defaultConfiguration": {"level": _LEVELS[check.level]},
        "properties": {"tags": [check.group]},
    }


def _result(result: CheckResult, number: int, problem: CheckProblem) -> dict[str, Any]:
    step = f"\nnext: {clean(problem.next_step, 1000)}" if problem.next_step else ""
    is_file = is_path(problem.where)
    where = "" if is_file or not problem.where else f"{clean(problem.where)}: "
    found: dict[str, Any] = {
        "ruleId": result.check.id,
        "ruleIndex": number,
        "level": _LEVELS[result.level_of(problem)],
        "message": {"text": f"{where}{clean(problem.what, 1000)}{step}"},
        # Without the line, which changes with every line above it.
        "partialFingerprints": {
            "unmoorCheck/v1": sha256(f"{result.check.id}\n{problem.where}\n{problem.what}".encode()).hexdigest()
        },
    }
    # A service shows no result without a place: what is missing has none but the repository itself.
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(problem.where if is_file else ".")}}
    if is_file:
        place["region"] = {"startLine": problem.line or 1}
    return found | {"locations": [{"physicalLocation": place}]}
