"""A workflow of GitHub Actions as values: what every file that unmoor writes is made of.

The model knows only what these workflows use. `workflows.yaml_text` writes it.
Source: GitHub's page "Workflow syntax for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

Scalar: TypeAlias = str | int | bool
Value: TypeAlias = "Scalar | Sequence[Value] | Mapping[str, Value] | None"
"""What YAML can hold, where the model leaves the form to GitHub: triggers, matrices."""


class JobPermission(msgspec.Struct, frozen=True):
    """One permission of a job's token, and why the job needs it, which the file says as a comment."""

    scope: str
    access: Literal["read", "write"]
    why: str


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """A step that runs an action, named without its version: `workflows.pins` has that."""

    action: str
    inputs: Mapping[str, Scalar] = msgspec.field(default_factory=dict)
    name: str = ""
    id: str = ""
    only_if: str = ""
    env: Mapping[str, Scalar] = msgspec.field(default_factory=dict)


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A step that runs a script in bash. Text from outside reaches the script through ``env`` alone.

    The lines of ``script`` are the lines of the file.
    """

    script: str
    name: str = ""
    id: str = ""
    only_if: str = ""
    env: Mapping[str, Scalar] = msgspec.field(default_factory=dict)


Step: TypeAlias = Uses | Script


class Concurrency(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs wait for each other. ``queue`` keeps every waiting run, not only the newest one."""

    group: str
    cancel: bool = False
    queue: bool = False


class WorkflowJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs steps. ``minutes`` is its time-out; ``comment`` stands above it in the file."""

    id: str
    name: str
    steps: tuple[Step, ...]
    minutes: int
    permissions: tuple[JobPermission, ...] = ()
    needs: tuple[str, ...] = ()
    only_if: str = ""
    runs_on: str = "ubuntu-latest"
    environment: str = ""
    concurrency: Concurrency | None = None
    matrix: Mapping[str, Value] = msgspec.field(default_factory=dict)
    outputs: Mapping[str, str] = msgspec.field(default_factory=dict)
    env: Mapping[str, Scalar] = msgspec.field(default_factory=dict)
    comment: str = ""


class WorkflowCall(msgspec.Struct, frozen=True, kw_only=True):
    """A job that calls a reusable workflow of the same repository, by its file name."""

    id: str
    name: str
    file: str
    permissions: tuple[JobPermission, ...] = ()
    inputs: Mapping[str, Scalar] = msgspec.field(default_factory=dict)
    needs: tuple[str, ...] = ()
    only_if: str = ""
    matrix: Mapping[str, Value] = msgspec.field(default_factory=dict)
    comment: str = ""


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow file. ``file`` is its name in ``.github/workflows``, ``comment`` stands at its top.

    Every job states its permissions; the workflow itself gives none.
    """

    file: str
    name: str
    comment: str
    on: Mapping[str, Value]
    jobs: tuple[WorkflowJob | WorkflowCall, ...]
    concurrency: Concurrency | None = None
    run_name: str = ""
    env: Mapping[str, Scalar] = msgspec.field(default_factory=dict)
