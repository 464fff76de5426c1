"""The text of a workflow: the same model gives the same bytes.

They are those of ruamel.yaml. What has one obvious form is written without it, which is several times as fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unmoor.workflows import plain_yaml
from unmoor.workflows.model import Concurrency, JobPermission, Step, Uses, Value, Workflow, WorkflowCall, WorkflowJob
from unmoor.workflows.pins import pin_of
from unmoor.workflows.yaml_nodes import Braces, Commented, Flow


def text_of(workflow: Workflow) -> str:
    """Return the file of a workflow, with LF at the end of each line."""
    return _commented(workflow.comment) + write_yaml(tree_of(workflow))


def tree_of(workflow: Workflow) -> Commented:
    """Return what YAML says of a workflow."""
    pairs = _present(
        {
            "name": workflow.name,
            "run-name": workflow.run_name,
            "on": workflow.on,
            "permissions": Braces(),
            "concurrency": _concurrency(workflow.concurrency),
            "env": workflow.env,
            "defaults": {"run": {"shell": "bash"}},
            "jobs": _jobs(workflow.jobs),
        }
    )
    return Commented(pairs, above={key: "\n" for key in list(pairs)[1:] if key != "run-name"})


def write_yaml(value: Value | Commented) -> str:
    """Return a value as YAML in block style, indented by two spaces."""
    try:
        return plain_yaml.written(value)
    except plain_yaml.Unusual:
        from unmoor.workflows import yaml_by_ruamel  # it takes longer to import than a check takes

        return yaml_by_ruamel.written(value)


def _jobs(jobs: Sequence[WorkflowJob | WorkflowCall]) -> Commented:
    pairs = {job.id: _job(job) if isinstance(job, WorkflowJob) else _call(job) for job in jobs}
    above = {job.id: ("\n" if number else "") + job.comment for number, job in enumerate(jobs)}
    return Commented(pairs, above={key: text for key, text in above.items() if text}, indent=2)


def _job(job: WorkflowJob) -> Mapping[str, Any]:
    return _present(
        {
            "name": job.name,
            "needs": _flow(job.needs),
            "if": job.only_if,
            "runs-on": job.runs_on,
            "timeout-minutes": job.minutes,
            "environment": job.environment,
            "concurrency": _concurrency(job.concurrency),
            "permissions": _permissions(job.permissions),
            "strategy": {"fail-fast": False, "matrix": job.matrix} if job.matrix else None,
            "outputs": job.outputs,
            "env": job.env,
            "steps": [_step(step) for step in job.steps],
        }
    )


def _call(call: WorkflowCall) -> Mapping[str, Any]:
    return _present(
        {
            "name": call.name,
            "needs": _flow(call.needs),
            "if": call.only_if,
            "permissions": _permissions(call.permissions),
            "strategy": {"fail-fast": False, "matrix": call.matrix} if call.matrix else None,
            "uses": f"$/.github/workflows/{call.file}",
            "with": call.inputs,
        }
    )


def _step(step: Step) -> Mapping[str, Any] | Commented:
    head = {"name": step.name, "id": step.id, "if": step.only_if}
    if not isinstance(step, Uses):
        return _present({**head, "run": step.script, "env": step.env})
    pin = pin_of(step.action)
    pairs = _present({**head, "uses": f"{step.action}@{pin.commit}", "with": step.inputs, "env": step.env})
    return Commented(pairs, beside={"uses": pin.version})


def _permissions(permissions: Sequence[JobPermission]) -> Commented | Braces:
    if not permissions:
        return Braces()
    pairs = {each.scope: each.access for each in permissions}
    return Commented(pairs, beside={each.scope: each.why for each in permissions})


def _concurrency(concurrency: Concurrency | None) -> Mapping[str, Value] | None:
    if concurrency is None:
        return None
    found: dict[str, Value] = {"group": concurrency.group, "cancel-in-progress": concurrency.cancel}
    return {**found, "queue": "max"} if concurrency.queue else found


def _present(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without what is not there: empty texts, lists and tables, and ``None``."""
    return {key: value for key, value in pairs.items() if value}


def _flow(values: Sequence[str]) -> Flow | str | None:
    """A list on one line; one value stands without a list, as people write ``needs``."""
    if len(values) < 2:  # noqa: PLR2004
        return values[0] if values else None
    return Flow(tuple(values))


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
