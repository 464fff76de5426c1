"""The runs of workflows of one GitHub repository, through its REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import converted
from unmoor.adapters.github.author import GitHubUser
from unmoor.ports.clock import Clock
from unmoor.ports.workflow_runs import RunApproval, WorkflowRunState
from unmoor.ports.world import ForgePlace
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE = 30
_MOST_ENVIRONMENTS = 20


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    status: str
    html_url: str
    name: str | None = None
    head_branch: str | None = None
    conclusion: str | None = None


class _Runs(msgspec.Struct, frozen=True, kw_only=True):
    workflow_runs: tuple[_Run, ...]


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""


class _Approval(msgspec.Struct, frozen=True, kw_only=True):
    state: str
    comment: str | None = None
    user: GitHubUser | None = None
    environments: tuple[_Named, ...] = ()


class GitHubWorkflowRuns:
    """Implements `unmoor.ports.workflow_runs.WorkflowRuns`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock) -> None:
        token = place.login.secret
        self._api = GitHubClient(
            place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=advice.ALLOW_ACTIONS()
        )
        self._root = f"/repos/{quote(place.repository)}/actions"

    def of_tag(self, tag: str) -> tuple[WorkflowRunState, ...]:
        """The newest runs of a tag; for one, ``branch`` and ``head_branch`` are the name of the tag."""
        path = f"{self._root}/runs?branch={quote(tag, safe='')}&per_page={_PER_PAGE}"
        page = converted(self._api.read(path), _Runs, "a list of workflow runs", self._api.where(self._root))
        return tuple(
            WorkflowRunState(
                id=each.id,
                name=clean(each.name or "", 100),
                status=clean(each.status, 60),
                conclusion=clean(each.conclusion or "", 60),
                url=clean(each.html_url),
            )
            for each in page.workflow_runs
            if each.head_branch == tag
        )

    def approvals(self, run: int) -> tuple[RunApproval, ...]:
        """The reviews of the run's deployments, the newest first as GitHub lists them; see the port."""
        path = f"{self._root}/runs/{run}/approvals"
        found = converted(self._api.read(path, wait=False), tuple[_Approval, ...], "reviews", self._api.where(path))
        return tuple(
            RunApproval(
                environments=tuple(clean(place.name, 255) for place in each.environments[:_MOST_ENVIRONMENTS]),
                state=clean(each.state, 60),
                who=clean(each.user.login, 100) if each.user is not None else "",
                comment=clean(each.comment or "", 500),
            )
            for each in found[:_PER_PAGE]
        )

    def dispatch(self, workflow: str, tag: str) -> None:
        """Start a workflow on a tag."""
        self._api.post(f"{self._root}/workflows/{quote(workflow, safe='')}/dispatches", {"ref": tag})
