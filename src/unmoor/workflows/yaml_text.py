"""The text of a workflow: the same model gives the same bytes.

ruamel.yaml writes it, which reads workflow files too: YAML 1.2, as GitHub does, and it writes comments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from unmoor.workflows.model import Concurrency, JobPermission, Step, Uses, Value, Workflow, WorkflowCall, WorkflowJob
from unmoor.workflows.pins import pin_of

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

# No line is folded: a long command stays as it is.
_WIDTH = 1_000_000


def text_of(workflow: Workflow) -> str:
    """Return the file of a workflow, with LF at the end of each line."""
    top = _mapping(
        {
            "name": workflow.name,
            "run-name": workflow.run_name,
            "on": workflow.on,
            "permissions": _empty(),
            "concurrency": _concurrency(workflow.concurrency),
            "env": workflow.env,
            "defaults": {"run": {"shell": "bash"}},
            "jobs": _jobs(workflow.jobs),
        }
    )
    for key in list(top)[1:]:
        if key != "run-name":
            top.yaml_set_comment_before_after_key(key, before="\n")
    return _commented(workflow.comment) + write_yaml(top)


def write_yaml(value: Value) -> str:
    """Return a value as YAML in block style, indented by two spaces."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_value(value), stream)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _jobs(jobs: Sequence[WorkflowJob | WorkflowCall]) -> CommentedMap:
    found = _mapping({job.id: _job(job) if isinstance(job, WorkflowJob) else _call(job) for job in jobs})
    for number, job in enumerate(jobs):
        blank = "\n" if number else ""
        if job.comment or blank:
            found.yaml_set_comment_before_after_key(job.id, before=blank + job.comment, indent=2)
    return found


def _job(job: WorkflowJob) -> CommentedMap:
    return _mapping(
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


def _call(call: WorkflowCall) -> CommentedMap:
    return _mapping(
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


def _step(step: Step) -> CommentedMap:
    head = {"name": step.name, "id": step.id, "if": step.only_if}
    if not isinstance(step, Uses):
        return _mapping({**head, "run": step.script, "env": step.env})
    pin = pin_of(step.action)
    found = _mapping({**head, "uses": f"{step.action}@{pin.commit}", "with": step.inputs, "env": step.env})
    found.yaml_add_eol_comment(pin.version, "uses", column=0)
    return found


def _permissions(permissions: Sequence[JobPermission]) -> CommentedMap:
    if not permissions:
        return _empty()
    found = _mapping({each.scope: each.access for each in permissions})
    for each in permissions:
        found.yaml_add_eol_comment(each.why, each.scope, column=0)
    return found


def _concurrency(concurrency: Concurrency | None) -> Mapping[str, Value] | None:
    if concurrency is None:
        return None
    found: dict[str, Value] = {"group": concurrency.group, "cancel-in-progress": concurrency.cancel}
    return {**found, "queue": "max"} if concurrency.queue else found


def _mapping(pairs: Mapping[str, Any]) -> CommentedMap:
    """Return a mapping without what is not there: empty texts, lists and tables, and ``None``."""
    from ruamel.yaml.comments import CommentedMap

    def is_there(value: Any) -> bool:
        is_braces = isinstance(value, CommentedMap) and value.fa.flow_style()
        return bool(value) or is_braces

    return CommentedMap({key: _value(value) for key, value in pairs.items() if is_there(value)})


def _value(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedBase, CommentedMap, CommentedSeq

    if isinstance(value, CommentedBase):
        return value
    if isinstance(value, Mapping):
        return CommentedMap({key: _value(each) for key, each in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return CommentedSeq([_value(each) for each in value])
    return _text(value) if isinstance(value, str) else value


def _flow(values: Sequence[str]) -> Any:
    """A list on one line; one value stands without a list, as people write ``needs``."""
    from ruamel.yaml.comments import CommentedSeq

    if len(values) < 2:  # noqa: PLR2004
        return values[0] if values else None
    found = CommentedSeq(values)
    found.fa.set_flow_style()
    return found


def _empty() -> CommentedMap:
    from ruamel.yaml.comments import CommentedMap

    found = CommentedMap()
    found.fa.set_flow_style()
    return found


def _text(text: str) -> str:
    """A text of several lines stands as its lines."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    return LiteralScalarString(text) if "\n" in text else text


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
