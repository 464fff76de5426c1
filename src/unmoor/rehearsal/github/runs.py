"""The workflow runs of a repository, as a file of the world says: ``runs.json`` in the folder of the forge.

Nothing runs in a local world, so there is none unless somebody writes that file. As at GitHub, a query shows 1,000 runs
at most, and counts no further than 2,500. Source: ``/repos/{owner}/{repo}/actions/runs`` in GitHub's description of its
API.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.json_shapes import EPOCH
from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.shared import store

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "runs.json"
PERMISSION: Final = "actions"
"""The permission that is needed to see the runs of a private repository."""
_SHOWN: Final = 1000
_COUNTED: Final = 2500


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``branch`` is the branch or tag that it is of, ``status`` is ``completed`` or a kind of active.

    ``attempt`` is its last one, and ``earlier`` are how those before it ended. Times are as the API writes them.
    ``approvals`` are the reviews of its deployments: each an environment, a state, a user and a comment.
    """

    id: int
    branch: str
    status: str = "in_progress"
    name: str = "release"
    conclusion: str = "success"
    event: str = "push"
    attempt: int = 1
    earlier: tuple[str, ...] = ()
    commit: str = "0" * 40
    created: str = EPOCH
    jobs: tuple[str, ...] = ("test",)
    approvals: tuple[tuple[str, str, str, str], ...] = ()

    def details(self) -> dict[str, Any]:
        """What its JSON has besides branch, status and name."""
        return {
            "conclusion": self.conclusion if self.status == "completed" else None,
            "event": self.event,
            "run_attempt": self.attempt,
            "head_sha": self.commit,
            "created_at": self.created,
            "run_started_at": self.created,
            "updated_at": self.created,
        }


class DispatchBody(msgspec.Struct, kw_only=True):
    """The body of a request that starts a workflow."""

    ref: str
    inputs: dict[str, str] | None = None


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the runs."""

    handler: RequestHandler

    async def listing(self, request: Request) -> Response:
        """``GET /actions/runs``: one page, of a branch, a status or a time if the query names one."""
        self.handler.rights(request, PERMISSION)
        branch, status = (request.query_params.get(name) for name in ("branch", "status"))
        since, until = _times(request.query_params.get("created", ""))
        found = [
            each
            for each in await self.read()
            if branch in {None, each.branch} and status in {None, each.status} and since <= each.created <= until
        ]
        found.sort(key=lambda each: each.created, reverse=True)
        begin, end = self.handler.page_of(request)
        shapes = [self.shape(each) for each in found[:_SHOWN][begin:end]]
        return JSONResponse({"total_count": min(len(found), _COUNTED), "workflow_runs": shapes})

    def shape(self, run: WorkflowRun) -> dict[str, Any]:
        """The JSON of a run."""
        shapes = self.handler.shapes
        shape = shapes.run(run.id, branch=run.branch, status=run.status, name=run.name, **run.details())
        repository = shapes.minimal_repo(owner=self.handler.owner(), private=self.handler.is_private)
        return {**shape, "repository": repository, "head_repository": repository}

    async def dispatch(self, request: Request) -> Response:
        """``POST /actions/workflows/{file}/dispatches``: the run waits in the list of runs."""
        body = await self.handler.body(request, DispatchBody, PERMISSION)
        name = body.ref.removeprefix("refs/tags/").removeprefix("refs/heads/")
        refs = [await asyncio.to_thread(self.handler.remote.ref, f"refs/{kind}/{name}") for kind in ("heads", "tags")]
        if not any(refs):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No ref found for: {body.ref}")
        known = await self.read()
        run = WorkflowRun(id=len(known) + 1, branch=name, status="queued", name=request.path_params["file"])
        await asyncio.to_thread(store.save, self.handler.releases.folder / FILE, [run, *known])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def read(self) -> list[WorkflowRun]:
        """The runs of the file, none if there is none."""
        return await asyncio.to_thread(store.load, self.handler.releases.folder / FILE, list[WorkflowRun]) or []

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        actions = "/api/v3/repos/{owner}/{repo}/actions"
        return [
            Route(f"{actions}/runs", self.listing),
            Route(f"{actions}/workflows/{{file}}/dispatches", self.dispatch, methods=["POST"]),
        ]


def _times(query: str) -> tuple[str, str]:
    """The first and the last moment of a query such as ``2026-01-01T00:00:00Z..2026-01-31T23:59:59Z``."""
    if not query:
        return "", "9"
    since, dots, until = query.partition("..")
    try:
        for each in (since, until):
            datetime.strptime(each, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - compared as text
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"not a range of times here: {query}") from None
    return (since, until) if dots else (query, query)
