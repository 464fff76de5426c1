"""Findings as SARIF 2.1.0: what the standard and GitHub's code scanning require is there, and no secret."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tests.scanning.test_judge import SECRET, WEAKNESS

from unmoor.products import Scanned, Unscanned
from unmoor.scanning.sarif import as_sarif
from unmoor.util.values import replace


def run_of(scanned: Scanned) -> dict[str, Any]:
    """Return the only run of a log, after a look at what is around it."""
    log = json.loads(as_sarif(scanned, "1.0"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "unmoor"
    return dict(run)


def test_results() -> None:
    """Each result names its rule, its place and its message; its fingerprint lasts, but differs from others."""
    ignored = replace(WEAKNESS, ignored="known", until=date(2027, 1, 31))
    run = run_of(Scanned(findings=(SECRET, ignored, replace(SECRET, path="demo/a b.py", id="github-token:x"))))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["github-token", "PYSEC-2024-60"]
    results = run["results"]
    assert [rules[each["ruleIndex"]] for each in results] == [each["ruleId"] for each in results]
    assert [each["level"] for each in results] == ["error"] * 3
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert [each["artifactLocation"]["uri"] for each in places] == [
        "demo-1.0.tar.gz/demo/a.py",
        "demo-1.0-py3-none-any.whl",
        "demo-1.0.tar.gz/demo/a%20b.py",
    ]
    assert [each.get("region") for each in places] == [{"startLine": 3}, None, {"startLine": 3}]
    assert all(each["message"]["text"] for each in results)
    assert len({each["partialFingerprints"]["unmoorFinding/v1"] for each in results}) == 3
    assert [each.get("suppressions") for each in results] == [
        None,
        [{"kind": "external", "justification": "known"}],
        None,
    ]
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_what_is_not_known() -> None:
    """A scan that cannot tell is no successful one without results."""
    run = run_of(Scanned(unknown=(Unscanned(kind="vulnerabilities", why="no answer"),)))
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert "no answer" in invocation["toolExecutionNotifications"][0]["message"]["text"]
