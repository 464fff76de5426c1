"""What the optional workflows share: how each job begins, where unmoor comes from, and when they run."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import JobPermission, Script, Step, Uses, WorkflowJob
from unmoor.workflows.steps import (
    TOOL_PYTHON,
    build_tool,
    check_out,
    hand_over_tool,
    install_tool,
    set_up_python,
)

READ: Final = JobPermission("contents", "read", "to check out the repository")
_DAYS: Final = 7
_TOOL: Final = "tool"


def tool_jobs(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """The job that builds unmoor, without credentials, if it comes from the checkout: only for unmoor itself."""
    if facts.settings.workflows.tool == "index":
        return ()
    return (
        WorkflowJob(
            id=_TOOL,
            name="Build the tool",
            minutes=10,
            permissions=(READ,),
            outputs={"tool-sha256": "${{ steps.tool.outputs.sha256 }}"},
            steps=(check_out(), set_up_python(), *build_tool(), hand_over_tool()),
        ),
    )


def needs_tool(facts: WorkflowFacts, *jobs: str) -> tuple[str, ...]:
    """The jobs that a job needs, with the one that builds unmoor if there is one."""
    return (*(each.id for each in tool_jobs(facts)), *jobs)


def begin_job(
    facts: WorkflowFacts, *, history: bool = False, pythons: Sequence[str] = (TOOL_PYTHON,)
) -> tuple[Step, ...]:
    """How each job begins: the checkout, Python and unmoor. Its ``needs`` are those of `needs_tool`."""
    built_by = _TOOL if tool_jobs(facts) else ""
    return (check_out(history=history), set_up_python(*pythons), *install_tool(facts, built_by=built_by))


def upload_file(name: str, path: str, *, only_if: str = "", days: int = _DAYS) -> Uses:
    """Hand over one file to a later job, or to people."""
    return Uses(
        action="actions/upload-artifact",
        only_if=only_if,
        inputs={"name": name, "path": path, "if-no-files-found": "error", "overwrite": True, "retention-days": days},
    )


def hand_over(artifact: str, path: str, *, step: str, title: str) -> tuple[Step, ...]:
    """Hand over a file, if it was written, to a job that takes it only by its sha256: an output of the step."""
    written = f"${{{{ !cancelled() && hashFiles('{path}') != '' }}}}"
    return (
        Script(
            name=title,
            id=step,
            only_if=written,
            script=f'echo "sha256=$(sha256sum {path} | cut -d \' \' -f 1)" >> "$GITHUB_OUTPUT"',
        ),
        upload_file(artifact, path, only_if=written),
    )


def require_digest(path: str) -> str:
    """The line of a script that fails unless a file in the folder ``handed`` has the digest in ``SHA256``."""
    return f'echo "$SHA256  handed/{path}" | sha256sum --check --strict\n'


def in_folder(facts: WorkflowFacts) -> str:
    """The option that names the folder of the project, if it is not the top of the repository."""
    return f" --path {facts.path}" if facts.path else ""


def daily(project: str) -> str:
    """A time each day that differs between projects, so that not all of them start at the full hour."""
    number = zlib.crc32(project.encode())
    return f"{1 + number % 59} {number // 60 % 6} * * *"


def weekly(project: str) -> str:
    """The same on Mondays."""
    return f"{daily(project).removesuffix('*')}1"
