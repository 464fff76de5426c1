"""The settings of a repository: who may push, its environments, and what only administrators see.

``settings.json`` in the folder of the forge has them, as `SettingsFile`; it is read at every request. Commits and
branches are those of the remote. Sources: the routes of `Settings` in GitHub's description of its API. Whether releases
are immutable is the control file ``immutable``, as for the releases.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import ADMINISTRATION, METADATA, RequestHandler, Rights
from unmoor.rehearsal.shared import store

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "settings.json"
GITHUB_ACTIONS = 15368
"""The number of the app GitHub Actions on github.com."""
_EPOCH = "2026-01-01T00:00:00Z"


class PolicyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern of the refs that may use an environment."""

    name: str
    type: Literal["branch", "tag"] = "branch"


class EnvironmentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One environment. ``policies`` is ``None`` if every ref may use it."""

    name: str
    reviewers: tuple[str, ...] = ()
    policies: tuple[PolicyEntry, ...] | None = None
    protected_branches: bool = False


class SettingsFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the file has. ``checks`` are the names of those that reported on every commit."""

    writers: tuple[str, ...] = ("acme",)
    checks: tuple[str, ...] = ()
    signed: bool = False
    protected: bool = False
    environments: tuple[EnvironmentEntry, ...] = ()
    workflow_permissions: Literal["read", "write"] = "read"
    workflows_approve: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of settings, branches and commits."""

    handler: RequestHandler

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        root = "/api/v3/repos/{owner}/{repo}"
        return [
            Route(f"{root}/branches/{{branch:path}}", self.branch),
            Route(f"{root}/commits", self.commits),
            Route(f"{root}/commits/{{sha}}/check-runs", self.check_runs),
            Route(f"{root}/collaborators", self.collaborators),
            Route(f"{root}/environments", self.environments),
            Route(f"{root}/environments/{{name}}/deployment-branch-policies", self.policies),
            Route(f"{root}/immutable-releases", self.immutable),
            Route(f"{root}/actions/permissions/workflow", self.permissions),
        ]

    async def branch(self, request: Request) -> Response:
        """``GET /branches/{branch}``."""
        self.handler.rights(request)
        name = request.path_params["branch"]
        found = await asyncio.to_thread(self.handler.remote.ref, f"refs/heads/{name}")
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Branch not found")
        here = f"{self.handler.shapes.root}/branches/{name}"
        tree = await asyncio.to_thread(self.handler.remote.run, "rev-parse", "--verify", f"{found.sha}^{{tree}}")
        return JSONResponse(
            {
                "name": name,
                "commit": self._commit(found.sha, tree.out.decode().strip()),
                "_links": {"html": f"{self.handler.shapes.site}/{self.handler.shapes.repository}", "self": here},
                "protected": self._held.protected,
                "protection": {"enabled": self._held.protected},
                "protection_url": f"{here}/protection",
            }
        )

    async def commits(self, request: Request) -> Response:
        """``GET /commits``: those of a branch, the newest first."""
        self.handler.rights(request)
        ref = request.query_params.get("sha", "")
        ref = ref or await asyncio.to_thread(self.handler.remote.default_branch)
        found = await asyncio.to_thread(self.handler.remote.history, ref)
        if not found:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return self.handler.paged(request, found, self._commit)

    async def check_runs(self, request: Request) -> Response:
        """``GET /commits/{ref}/check-runs``."""
        self.handler.rights(request, "checks")
        name = request.query_params.get("check_name")
        found = [each for each in self._held.checks if name in {None, each}]
        runs = [self._check(number, each, request.path_params["sha"]) for number, each in enumerate(found, 1)]
        return JSONResponse({"total_count": len(runs), "check_runs": runs})

    async def collaborators(self, request: Request) -> Response:
        """``GET /collaborators``: only for those who may push."""
        if self.handler.rights(request, METADATA) is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        if self.handler.rights(request) < Rights.PUSH:
            raise Problem(HTTPStatus.FORBIDDEN, "Must have push access to view repository collaborators.")
        may = {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}
        return self.handler.paged(
            request,
            self._held.writers,
            lambda each: {**self.handler.shapes.user(each), "permissions": may, "role_name": "write"},
        )

    async def environments(self, request: Request) -> Response:
        """``GET /environments``."""
        self.handler.rights(request, "actions")
        begin, end = self.handler.page_of(request)
        every = self._held.environments
        shapes = [self._environment(number, each) for number, each in enumerate(every, 1)]
        return JSONResponse({"total_count": len(every), "environments": shapes[begin:end]})

    async def policies(self, request: Request) -> Response:
        """``GET /environments/{name}/deployment-branch-policies``."""
        self.handler.rights(request, "actions")
        name = request.path_params["name"]
        found = next((each for each in self._held.environments if each.name == name), None)
        if found is None or found.policies is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        shapes = [
            {"id": number, "node_id": f"DBP_{number}", **msgspec.to_builtins(each)}
            for number, each in enumerate(found.policies, 1)
        ]
        return JSONResponse({"total_count": len(shapes), "branch_policies": shapes})

    async def immutable(self, request: Request) -> Response:
        """``GET /immutable-releases``: 404 if they are not, and to everybody but administrators."""
        self.handler.administer(request)
        if not (self.handler.releases.folder / "immutable").exists():
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse({"enabled": True, "enforced_by_owner": False})

    async def permissions(self, request: Request) -> Response:
        """``GET /actions/permissions/workflow``."""
        self._require_administrator(request)
        held = self._held
        return JSONResponse(
            {
                "default_workflow_permissions": held.workflow_permissions,
                "can_approve_pull_request_reviews": held.workflows_approve,
            }
        )

    def _require_administrator(self, request: Request) -> None:
        if self.handler.rights(request, METADATA) is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        if not self.handler.administers(request):
            what = f"Resource not accessible without {ADMINISTRATION}"
            raise Problem(HTTPStatus.FORBIDDEN, what)

    @property
    def _held(self) -> SettingsFile:
        return store.load(self.handler.releases.folder / FILE, SettingsFile) or SettingsFile()

    def _commit(self, sha: str, tree: str = "0" * 40) -> dict[str, Any]:
        here = f"{self.handler.shapes.root}/commits/{sha}"
        who = {"name": "demo", "email": "demo@example.org", "date": _EPOCH}
        signed = self._held.signed
        verification = {
            "verified": signed,
            "reason": "valid" if signed else "unsigned",
            "signature": "x" if signed else None,
            "payload": None,
            "verified_at": _EPOCH if signed else None,
        }
        return {
            "sha": sha,
            "node_id": f"C_{sha}",
            "url": here,
            "html_url": f"{self.handler.shapes.site}/{self.handler.shapes.repository}/commit/{sha}",
            "comments_url": f"{here}/comments",
            "author": self.handler.shapes.user("acme"),
            "committer": self.handler.shapes.user("acme"),
            "parents": [],
            "commit": {
                "url": here,
                "author": who,
                "committer": who,
                "message": "a commit",
                "comment_count": 0,
                "tree": {"sha": tree, "url": here},
                "verification": verification,
            },
        }

    def _check(self, number: int, name: str, sha: str) -> dict[str, Any]:
        here = f"{self.handler.shapes.root}/check-runs/{number}"
        return {
            "id": number,
            "head_sha": sha,
            "node_id": f"CR_{number}",
            "external_id": "",
            "url": here,
            "html_url": here,
            "details_url": here,
            "status": "completed",
            "conclusion": "success",
            "started_at": _EPOCH,
            "completed_at": _EPOCH,
            "output": {
                "title": None,
                "summary": None,
                "text": None,
                "annotations_count": 0,
                "annotations_url": f"{here}/annotations",
            },
            "name": name,
            "check_suite": {"id": 1},
            "app": {
                "id": GITHUB_ACTIONS,
                "node_id": "A_1",
                "slug": "github-actions",
                "owner": self.handler.shapes.user("github"),
                "name": "GitHub Actions",
                "description": None,
                "external_url": here,
                "html_url": here,
                "created_at": _EPOCH,
                "updated_at": _EPOCH,
                "permissions": {"checks": "write"},
                "events": [],
            },
            "pull_requests": [],
        }

    def _environment(self, number: int, entry: EnvironmentEntry) -> dict[str, Any]:
        here = f"{self.handler.shapes.root}/environments/{entry.name}"
        reviewers = [{"type": "User", "reviewer": self.handler.shapes.user(each)} for each in entry.reviewers]
        rules: list[dict[str, Any]] = [{"id": 1, "node_id": "GA_1", "type": "branch_policy"}]
        if reviewers:
            rules.append(
                {
                    "id": 2,
                    "node_id": "GA_2",
                    "type": "required_reviewers",
                    "prevent_self_review": False,
                    "reviewers": reviewers,
                }
            )
        limited = entry.policies is not None or entry.protected_branches
        policy = {
            "protected_branches": entry.protected_branches,
            "custom_branch_policies": entry.policies is not None,
        }
        return {
            "id": number,
            "node_id": f"EN_{number}",
            "name": entry.name,
            "url": here,
            "html_url": here,
            "created_at": _EPOCH,
            "updated_at": _EPOCH,
            "protection_rules": rules,
            "deployment_branch_policy": policy if limited else None,
        }
