"""What is asked of one past run: the run, an earlier attempt, the jobs of all attempts, and who approved some.

The jobs are those that ``runs.json`` names: in each attempt they begin a minute after each other and take a minute, and
the last one ends as the attempt does. Sources: ``/actions/runs/{run_id}`` with ``/attempts/{attempt_number}`` and
``/jobs`` and ``/approvals`` in GitHub's description of its API.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.github.runs import PERMISSION, Runs, WorkflowRun
from unmoor.util.values import replace

if TYPE_CHECKING:
    from starlette.requests import Request

_MINUTE: Final = timedelta(minutes=1)
_MOST: Final = 100


class RunHistoryRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """The routes below one run."""

    handler: RequestHandler

    async def get(self, request: Request) -> Response:
        """``GET /actions/runs/{id}``."""
        run = await self._run(request)
        return JSONResponse(self._runs.shape(run))

    async def attempt(self, request: Request) -> Response:
        """``GET /actions/runs/{id}/attempts/{number}``."""
        run, number = await self._run(request), request.path_params["number"]
        attempts = {each.attempt: each for each in _attempts(run)}
        if number not in attempts:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self._runs.shape(attempts[number]))

    async def jobs(self, request: Request) -> Response:
        """``GET /actions/runs/{id}/jobs``: of the last attempt, or of all."""
        run = await self._run(request)
        attempts = _attempts(run)
        is_all = request.query_params.get("filter", "latest") == "all"
        found = [job for each in (attempts if is_all else attempts[-1:]) for job in self._jobs(each)]
        begin, end = self.handler.page_of(request)
        return JSONResponse({"total_count": len(found), "jobs": found[begin:end]})

    async def approvals(self, request: Request) -> Response:
        """``GET /actions/runs/{id}/approvals``: who approved or rejected jobs of the run."""
        run, shapes = await self._run(request), self.handler.shapes
        reviews = [
            {
                "state": state,
                "comment": comment,
                "environments": [{"name": environment, "url": f"{shapes.root}/environments/{environment}"}],
                "user": {"login": who},
            }
            for environment, state, who, comment in run.approvals
        ]
        return JSONResponse(reviews)

    async def _run(self, request: Request) -> WorkflowRun:
        self.handler.rights(request, PERMISSION)
        number = request.path_params["id"]
        found = next((each for each in await self._runs.read() if each.id == number), None)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return found

    @property
    def _runs(self) -> Runs:
        return Runs(handler=self.handler)

    def _jobs(self, run: WorkflowRun) -> list[dict[str, Any]]:
        shapes = self.handler.shapes
        here = f"{shapes.root}/actions/runs/{run.id}"
        begin = datetime.fromisoformat(run.created)
        is_over = run.status == "completed"
        jobs = []
        for number, name in enumerate(run.jobs):
            started = begin + number * _MINUTE
            ended = (run.conclusion if number == len(run.jobs) - 1 else "success") if is_over else None
            identity = (run.id * _MOST + run.attempt) * 1000 + number
            jobs.append(
                {
                    "id": identity,
                    "run_id": run.id,
                    "run_url": here,
                    "run_attempt": run.attempt,
                    "node_id": f"J{identity}",
                    "head_sha": run.commit,
                    "head_branch": run.branch,
                    "workflow_name": run.name,
                    "url": f"{shapes.root}/actions/jobs/{identity}",
                    "html_url": f"{shapes.site}/{shapes.repository}/actions/runs/{run.id}/job/{identity}",
                    "check_run_url": f"{shapes.root}/check-runs/{identity}",
                    "status": run.status,
                    "conclusion": ended,
                    "name": name,
                    "created_at": run.created,
                    "started_at": _written(started),
                    "completed_at": _written(started + _MINUTE) if is_over else None,
                    "steps": [],
                    "labels": [],
                    "runner_id": None,
                    "runner_name": None,
                    "runner_group_id": None,
                    "runner_group_name": None,
                }
            )
        return jobs

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        run = "/api/v3/repos/{owner}/{repo}/actions/runs/{id:int}"
        return [
            Route(run, self.get),
            Route(f"{run}/attempts/{{number:int}}", self.attempt),
            Route(f"{run}/jobs", self.jobs),
            Route(f"{run}/approvals", self.approvals),
        ]


def _attempts(run: WorkflowRun) -> list[WorkflowRun]:
    """Every attempt of a run, the last one included."""
    return [
        *(
            replace(run, attempt=number, conclusion=conclusion, status="completed")
            for number, conclusion in enumerate(run.earlier, 1)
        ),
        run,
    ]


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
