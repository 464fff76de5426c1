"""security.yml: CodeQL, the review of dependencies, and a scan of the built files."""

from __future__ import annotations

import zlib
from typing import Final

from unmoor.workflows.facts import WorkflowFacts, as_pattern
from unmoor.workflows.model import Concurrency, JobPermission, Script, Step, Uses, Workflow, WorkflowCall, WorkflowJob
from unmoor.workflows.steps import MARK, check_out, download, install_tool, set_up_python
from unmoor.workflows.tests_workflow import BUILD_FILE, READ

SECURITY_FILE: Final = "security.yml"
_COMMENT: Final = f"""\
{MARK}
CodeQL, the review of new dependencies, and a scan of the built files for secrets and known vulnerabilities."""
_PRIVATE: Final = """
The repository is private, where CodeQL, the review of dependencies and alerts of other programs need GitHub Advanced
Security. So only the scan is here; its findings are an artifact."""
_ALERTS: Final = JobPermission("security-events", "write", "to report findings as alerts")
_MONDAY: Final = 1
_DAYS: Final = 30


def security_workflow(facts: WorkflowFacts) -> Workflow:
    """Return security.yml."""
    private = facts.settings.workflows.private
    build = WorkflowCall(id="build", name="Build", file=BUILD_FILE, permissions=(READ,))
    jobs = (build, _scan(facts)) if private else (_codeql(), _review(), build, _scan(facts))
    return Workflow(
        file=SECURITY_FILE,
        name="security",
        comment=_COMMENT + (_PRIVATE if private else ""),
        on={
            "push": {"branches": [as_pattern(facts.default_branch)]},
            "pull_request": None,
            "merge_group": None,
            "schedule": [{"cron": _weekly(facts.project)}],
            "workflow_dispatch": None,
        },
        concurrency=Concurrency(group="security-${{ github.event.pull_request.number || github.run_id }}", cancel=True),
        jobs=jobs,
    )


def _weekly(project: str) -> str:
    """A time on Mondays that differs between projects, so that not all of them start at the full hour."""
    number = zlib.crc32(project.encode())
    return f"{number % 60} {number // 60 % 6} * * {_MONDAY}"


def _codeql() -> WorkflowJob:
    return WorkflowJob(
        id="codeql",
        name="CodeQL, ${{ matrix.language }}",
        minutes=30,
        permissions=(READ, _ALERTS),
        matrix={"language": ["python", "actions"]},
        steps=(
            check_out(history=False),
            Uses(
                action="github/codeql-action/init",
                inputs={"languages": "${{ matrix.language }}", "build-mode": "none", "queries": "security-extended"},
            ),
            Uses(action="github/codeql-action/analyze", inputs={"category": "/language:${{ matrix.language }}"}),
        ),
    )


def _review() -> WorkflowJob:
    return WorkflowJob(
        id="dependencies",
        name="Review of dependencies",
        only_if="github.event_name == 'pull_request'",
        minutes=10,
        permissions=(READ,),
        steps=(
            check_out(history=False),
            Uses(action="actions/dependency-review-action", inputs={"fail-on-severity": "moderate"}),
        ),
    )


def _scan(facts: WorkflowFacts) -> WorkflowJob:
    private = facts.settings.workflows.private
    path = f" --path {facts.path}" if facts.path else ""
    compare = (
        'echo "$SHA256  SHA256SUMS" | sha256sum --check --strict',
        "sha256sum --check --strict SHA256SUMS",
        "rm SHA256SUMS",
    )
    found: Step = Uses(
        action="github/codeql-action/upload-sarif",
        only_if="${{ !cancelled() && hashFiles('scan.sarif') != '' }}",
        inputs={"sarif_file": "scan.sarif", "category": "unmoor"},
    )
    if private:
        found = Uses(
            action="actions/upload-artifact",
            only_if="${{ !cancelled() && hashFiles('scan.sarif') != '' }}",
            inputs={"name": "scan", "path": "scan.sarif", "overwrite": True, "retention-days": _DAYS},
        )
    return WorkflowJob(
        id="scan",
        name="Scan of the built files",
        comment="The files are read, never installed or imported. They count only by the digest that `build` put out.",
        needs=("build",),
        minutes=20,
        permissions=(READ,) if private else (READ, _ALERTS),
        steps=(
            check_out(),
            set_up_python(),
            *install_tool(facts),
            download("built", "built"),
            Script(
                name="Compare with what was built",
                script="\n".join(("cd built", *compare)),
                env={"SHA256": "${{ needs.build.outputs.sha256 }}"},
            ),
            Script(name="Scan", script=f"unmoor scan --dists built --sarif scan.sarif{path}"),
            found,
        ),
    )
