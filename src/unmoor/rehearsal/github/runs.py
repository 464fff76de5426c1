"""The workflow runs of a repository, as a file of the world says: ``runs.json`` in the folder of the forge.

Nothing runs in a local world, so there is none unless somebody writes that file. Source: ``/repos/{owner}/{repo}/
actions/runs`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.requests import RequestHandler
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


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The route of the runs."""

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

    def _read(self) -> list[WorkflowRun]:
        try:
            data = (self.handler.releases.folder / FILE).read_bytes()
        except FileNotFoundError:
            return []
        return decode_json(data, list[WorkflowRun])

    def routes(self) -> list[Route]:
        """The route below the API's address."""
        return [Route("/api/v3/repos/{owner}/{repo}/actions/runs", self.listing)]
