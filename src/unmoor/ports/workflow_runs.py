"""The runs of workflows on a forge, to follow one and to start one."""

from __future__ import annotations

from typing import Protocol

import msgspec


class WorkflowRunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run. ``status`` is the forge's word, such as ``queued``, ``waiting`` or ``completed``.

    ``conclusion`` is how a completed run ended, such as ``success``; empty before.
    """

    id: int
    name: str
    status: str
    conclusion: str
    url: str

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status == "completed"


class RunApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said about the jobs of a run that use some environments.

    ``state`` is the forge's word: ``approved`` or ``rejected``.
    """

    environments: tuple[str, ...]
    state: str
    who: str
    comment: str


class WorkflowRuns(Protocol):
    """The runs of one repository."""

    def of_tag(self, tag: str) -> tuple[WorkflowRunState, ...]:
        """The newest runs of a tag, at most a page of them. Raises `Denied`, `Unknown`."""

    def approvals(self, run: int) -> tuple[RunApproval, ...]:
        """Who approved or rejected jobs of a run; empty if nobody was asked. Raises `Denied`, `Unknown`."""

    def dispatch(self, workflow: str, tag: str) -> None:
        """Start a workflow, by the name of its file, on a tag. Raises `Denied`, `Rejected`, `Unknown`."""
