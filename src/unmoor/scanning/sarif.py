"""Write findings as SARIF 2.1.0, the form in which code scanning services take them.

The object model of Microsoft (sarif-om) was last released in 2019; the few properties that are needed are these. See
https://docs.oasis-open.org/sarif/sarif/v2.1.0/, sections 3.13 to 3.28 and 3.35.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from unmoor.products.scan import ScanFinding, Scanned
from unmoor.scanning.judge import line_of
from unmoor.scanning.secrets import RULES

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_sarif(scanned: Scanned, version: str) -> str:
    """Return the findings as a SARIF log, those that are ignored too, as suppressed ones.

    A scan that could not tell everything is one that did not end well, so that its results are not taken for all.
    """
    names = list(dict.fromkeys(each.rule for each in scanned.findings))
    first = {each.rule: each for each in reversed(scanned.findings)}
    notifications = [
        {"level": "error", "message": {"text": f"cannot tell whether there are {each.kind}: {each.why}"}}
        for each in scanned.unknown
    ]
    run = {
        "tool": {
            "driver": {
                "name": "unmoor",
                "semanticVersion": version,
                "rules": [_rule(first[name]) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not notifications, "toolExecutionNotifications": notifications},
        ],
        "results": [_result(each, names) for each in scanned.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: ScanFinding) -> dict[str, Any]:
    what = RULES[finding.rule].what if finding.is_secret else finding.what
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": what},
        "properties": {"tags": ["security", "secret" if finding.is_secret else "vulnerability"]},
    }
    return rule | ({"helpUri": finding.url} if finding.url.startswith("https://") else {})


def _result(finding: ScanFinding, names: Sequence[str]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote("/".join(filter(None, (finding.file, finding.path))))}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": str(finding.level),
        "message": {"text": line_of(finding)},
        "locations": [{"physicalLocation": place}],
        # The same in every version, so that a service knows a finding again.
        "partialFingerprints": {
            "unmoorFinding/v1": sha256(f"{finding.id}\n{finding.package}".encode()).hexdigest(),
        },
    }
    if finding.ignored:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result
