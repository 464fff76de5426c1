"""The workflow runs of a repository, as a file of the world says: ``runs.json`` in the folder of the forge.

Nothing runs in a local world, so there is none unless somebody writes that file. Source: ``/repos/{owner}/{repo}/
actions/runs`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "runs.json"
_PERMISSION = "actions"


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``branch`` is the branch or tag that it is of, ``status`` is ``completed`` or a kind of active."""

    id: int
    branch: str
    status: str = "in_progress"
    name: str = "release"


class DispatchBody(msgspec.Struct, kw_only=True):
    """The body of a request that starts a workflow."""

    ref: str
    inputs: dict[str, str] | None = None


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the runs."""

    handler: RequestHandler

    async def listing(self, request: Request) -> Response:
        """``GET /repos/{owner}/{repo}/actions/runs``: one page, of a branch or tag if the query names one."""
        self.handler.rights(request, _PERMISSION)
        branch, status = (request.query_params.get(name) for name in ("branch", "status"))
        found = [
            each
            for each in await asyncio.to_thread(self._read)
            if branch in {None, each.branch} and status in {None, each.status}
        ]
        begin, end = self.handler.page_of(request)
        shapes = [
            self.handler.shapes.run(each.id, branch=each.branch, status=each.status, name=each.name)
            for each in found[begin:end]
        ]
        repository = self.handler.shapes.minimal_repo(owner=self.handler.owner(), private=self.handler.is_private)
        for shape in shapes:
            shape["repository"] = shape["head_repository"] = repository
        return JSONResponse({"total_count": len(found), "workflow_runs": shapes})

    async def get(self, request: Request) -> Response:
        """``GET /repos/{owner}/{repo}/actions/runs/{id}``."""
        self.handler.rights(request, _PERMISSION)
        number = request.path_params["id"]
        found = next((each for each in await asyncio.to_thread(self._read) if each.id == number), None)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        shape = self.handler.shapes.run(found.id, branch=found.branch, status=found.status, name=found.name)
        repository = self.handler.shapes.minimal_repo(owner=self.handler.owner(), private=self.handler.is_private)
        return JSONResponse(shape | {"repository": repository, "head_repository": repository})

    async def dispatch(self, request: Request) -> Response:
        """``POST /actions/workflows/{file}/dispatches``: the run waits in the list of runs."""
        body = await self.handler.body(request, DispatchBody, _PERMISSION)
        name = body.ref.removeprefix("refs/tags/").removeprefix("refs/heads/")
        refs = [await asyncio.to_thread(self.handler.remote.ref, f"refs/{kind}/{name}") for kind in ("heads", "tags")]
        if not any(refs):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No ref found for: {body.ref}")
        known = await asyncio.to_thread(self._read)
        run = WorkflowRun(id=len(known) + 1, branch=name, status="queued", name=request.path_params["file"])
        await asyncio.to_thread(store.save, self.handler.releases.folder / FILE, [run, *known])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _read(self) -> list[WorkflowRun]:
        try:
            data = (self.handler.releases.folder / FILE).read_bytes()
        except FileNotFoundError:
            return []
        return decode_json(data, list[WorkflowRun])

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        actions = "/api/v3/repos/{owner}/{repo}/actions"
        return [
            Route(f"{actions}/runs", self.listing),
            Route(f"{actions}/runs/{{id:int}}", self.get),
            Route(f"{actions}/workflows/{{file}}/dispatches", self.dispatch, methods=["POST"]),
        ]
