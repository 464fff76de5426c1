"""security.yml: what is looked at, when, and with which permissions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.security import security_workflow
from unmoor.workflows.yaml_text import text_of


def _read(project: str = "small", *, private: bool = False) -> Any:
    facts = WorkflowFacts(settings=Settings(workflows=WorkflowSettings(private=private)), project=project)
    return YAML(typ="safe", pure=True).load(text_of(security_workflow(facts)))


def test_it_runs_for_changes_weekly_and_by_hand() -> None:
    """New advice on old code is found without a change, and no project starts at the full hour with all others."""
    found = _read()["on"]
    assert set(found) == {"push", "pull_request", "merge_group", "schedule", "workflow_dispatch"}
    crons = {_read(name)["on"]["schedule"][0]["cron"] for name in ("a", "b", "c")}
    assert len(crons) > 1
    assert all(re.fullmatch(r"[0-5]?[0-9] [0-5] \* \* 1", each) for each in crons)


@pytest.mark.parametrize(("private", "expected"), [(False, {"codeql", "scan"}), (True, set())])
def test_findings_become_alerts_only_where_they_are_found(*, private: bool, expected: set[str]) -> None:
    """Only those jobs may write alerts. A private repository has none, so the findings are an artifact."""
    jobs = _read(private=private)["jobs"]
    assert {name for name, job in jobs.items() if "write" in job["permissions"].values()} == expected
    assert set(jobs) == ({"build", "scan"} if private else {"codeql", "dependencies", "build", "scan"})
    used = str(jobs["scan"]["steps"][-1]["uses"]).partition("@")[0]
    assert used == ("actions/upload-artifact" if private else "github/codeql-action/upload-sarif")


def test_codeql_reads_python_and_workflows() -> None:
    """Workflows are code with credentials."""
    assert _read()["jobs"]["codeql"]["strategy"]["matrix"] == {"language": ["python", "actions"]}


def test_new_dependencies_are_reviewed_in_pull_requests() -> None:
    """Only a pull request has a difference to review."""
    assert _read()["jobs"]["dependencies"]["if"] == "github.event_name == 'pull_request'"


def test_the_scan_takes_only_the_files_that_were_built() -> None:
    """Their digests are compared before anything reads them, and the findings are kept if the scan fails."""
    steps = _read()["jobs"]["scan"]["steps"]
    scripts = [step.get("run", "") for step in steps]
    compared = next(place for place, each in enumerate(scripts) if '"$SHA256  SHA256SUMS"' in each)
    scanned = next(place for place, each in enumerate(scripts) if "unmoor scan --dists built" in each)
    assert compared < scanned
    assert steps[compared]["env"] == {"SHA256": "${{ needs.build.outputs.sha256 }}"}
    assert "!cancelled()" in steps[-1]["if"]
