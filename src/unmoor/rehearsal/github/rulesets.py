"""The rulesets of a repository, and which of their rules are active for a branch.

``rulesets.json`` in the folder of the forge has them. It is read at every request, so that those of an organisation
can be added: objects with ``"source_type": "Organization"``. With the control file ``free-plan``, a private repository
has none. The local remote enforces no rule. Sources: ``/repos/{owner}/{repo}/rulesets`` and ``…/rules/branches`` in
GitHub's description of its API, and GitHub's page "Available rules for rulesets".
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem, invalid
from unmoor.rehearsal.github.requests import METADATA, RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.http import note
from unmoor.util.ref_patterns import ALL, BRANCHES, DEFAULT_BRANCH, TAGS, matches
from unmoor.util.values import replace

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "rulesets.json"
FREE_PLAN = "free-plan"
NEEDS_PLAN = "Upgrade to GitHub Pro or make this repository public to enable this feature."
_PREFIXES = {"branch": BRANCHES, "tag": TAGS}
_NEEDED: dict[str, frozenset[str]] = {
    "creation": frozenset(),
    "update": frozenset(),
    "deletion": frozenset(),
    "non_fast_forward": frozenset(),
    "required_linear_history": frozenset(),
    "required_signatures": frozenset(),
    "required_deployments": frozenset({"required_deployment_environments"}),
    "pull_request": frozenset(
        {
            "dismiss_stale_reviews_on_push",
            "require_code_owner_review",
            "require_last_push_approval",
            "required_approving_review_count",
            "required_review_thread_resolution",
        }
    ),
    "required_status_checks": frozenset({"required_status_checks", "strict_required_status_checks_policy"}),
    "tag_name_pattern": frozenset({"operator", "pattern"}),
    "branch_name_pattern": frozenset({"operator", "pattern"}),
    "commit_message_pattern": frozenset({"operator", "pattern"}),
}
"""The rules of this forge, each with the parameters that it has to have. GitHub has more rules."""


class RuleBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of a request or of the file."""

    type: str
    parameters: dict[str, Any] | None = None


class ActorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may bypass a ruleset."""

    actor_type: Literal["Integration", "OrganizationAdmin", "RepositoryRole", "Team", "DeployKey", "User"]
    actor_id: int | None = None
    bypass_mode: Literal["always", "pull_request", "exempt"] = "always"


class RefNameBody(msgspec.Struct, frozen=True, kw_only=True):
    """The patterns of the refs that a ruleset is for."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class ConditionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """When a ruleset applies."""

    ref_name: RefNameBody = RefNameBody()


class RulesetBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that creates a ruleset, or replaces one: then ``None`` keeps what is there."""

    name: str | None = None
    target: Literal["branch", "tag", "push"] | None = None
    enforcement: Literal["disabled", "active", "evaluate"] | None = None
    bypass_actors: tuple[ActorBody, ...] | None = None
    conditions: ConditionsBody | None = None
    rules: tuple[RuleBody, ...] | None = None


class StoredRuleset(msgspec.Struct, frozen=True, kw_only=True):
    """One ruleset on disk. An empty ``source`` is the repository, or the owner for a level above it."""

    id: int
    name: str
    target: Literal["branch", "tag", "push"] = "branch"
    enforcement: Literal["disabled", "active", "evaluate"] = "active"
    bypass_actors: tuple[ActorBody, ...] = ()
    conditions: ConditionsBody = ConditionsBody()
    rules: tuple[RuleBody, ...] = ()
    source_type: Literal["Repository", "Organization", "Enterprise"] = "Repository"
    source: str = ""

    def is_for(self, ref: str, default_branch: str) -> bool:
        """Whether its rules are active for a ref."""
        names = self.conditions.ref_name
        inside = any(matches(ref, each, default_branch=default_branch) for each in names.include)
        outside = any(matches(ref, each, default_branch=default_branch) for each in names.exclude)
        return self.enforcement == "active" and inside and not outside


class Rulesets(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of rulesets and of the rules of a branch."""

    handler: RequestHandler

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        root = "/api/v3/repos/{owner}/{repo}"
        return [
            Route(f"{root}/rules/branches/{{branch:path}}", self.of_branch),
            Route(f"{root}/rulesets", self.listing),
            Route(f"{root}/rulesets", self.create, methods=["POST"]),
            Route(f"{root}/rulesets/{{id:int}}", self.get),
            Route(f"{root}/rulesets/{{id:int}}", self.update, methods=["PUT"]),
            Route(f"{root}/rulesets/{{id:int}}", self.delete, methods=["DELETE"]),
        ]

    async def of_branch(self, request: Request) -> Response:
        """``GET /rules/branches/{branch}``: every active rule, whoever set it. The branch need not exist."""
        self._begin(request)
        ref = f"{BRANCHES}{request.path_params['branch']}"
        default = await asyncio.to_thread(self.handler.remote.default_branch)
        held = [each for each in self._all() if each.target == "branch" and each.is_for(ref, default)]
        return self.handler.paged(request, [(each, rule) for each in held for rule in each.rules], self._active)

    async def listing(self, request: Request) -> Response:
        """``GET /rulesets``: without their rules."""
        self._begin(request)
        parents = request.query_params.get("includes_parents", "true") != "false"
        held = [each for each in self._all() if parents or each.source_type == "Repository"]
        return self.handler.paged(request, held, self._brief)

    async def get(self, request: Request) -> Response:
        """``GET /rulesets/{id}``: who may bypass it is only shown to those who may change it."""
        self._begin(request)
        parents = request.query_params.get("includes_parents", "true") != "false"
        found = self._find(request, parents=parents)
        return JSONResponse(self._whole(found, admin=self._may_change(request, found)))

    async def create(self, request: Request) -> Response:
        """``POST /rulesets``."""
        self._begin(request, writes=True)
        body: RulesetBody = await self.handler.body(request, RulesetBody, administers=True)
        if not body.name or body.enforcement is None:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request.\n\nmissing name or enforcement")
        held = self._all()
        number = max((each.id for each in held), default=0) + 1
        made = self._checked(_changed(StoredRuleset(id=number, name=body.name), body), held)
        self._save([*held, made])
        note(request, ruleset=made.name)
        return JSONResponse(self._whole(made, admin=True), HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """``PUT /rulesets/{id}``: only those of the repository itself."""
        self._begin(request, writes=True)
        body: RulesetBody = await self.handler.body(request, RulesetBody, administers=True)
        before = self._find(request, parents=False)
        others = [each for each in self._all() if each.id != before.id]
        made = self._checked(_changed(before, body), others)
        self._save(sorted([*others, made], key=lambda each: each.id))
        note(request, ruleset=made.name)
        return JSONResponse(self._whole(made, admin=True))

    async def delete(self, request: Request) -> Response:
        """``DELETE /rulesets/{id}``."""
        self._begin(request, writes=True)
        found = self._find(request, parents=False)
        self._save([each for each in self._all() if each.id != found.id])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _begin(self, request: Request, *, writes: bool = False) -> None:
        """Check the rights and the plan. Raises a 401, a 403, a 404."""
        if writes:
            self.handler.administer(request)
        else:
            self.handler.rights(request, METADATA)
        if self.handler.is_private and (self.handler.releases.folder / FREE_PLAN).exists():
            raise Problem(HTTPStatus.FORBIDDEN, NEEDS_PLAN)

    def _all(self) -> list[StoredRuleset]:
        return store.load(self.handler.releases.folder / FILE, list[StoredRuleset]) or []

    def _save(self, rulesets: list[StoredRuleset]) -> None:
        store.save(self.handler.releases.folder / FILE, rulesets)

    def _find(self, request: Request, *, parents: bool) -> StoredRuleset:
        number = request.path_params["id"]
        found = (each for each in self._all() if each.id == number and (parents or each.source_type == "Repository"))
        ruleset = next(found, None)
        if ruleset is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return ruleset

    def _may_change(self, request: Request, ruleset: StoredRuleset) -> bool:
        return ruleset.source_type == "Repository" and self.handler.administers(request)

    def _checked(self, made: StoredRuleset, others: list[StoredRuleset]) -> StoredRuleset:
        """Raise the 422 that GitHub answers to a ruleset that cannot be."""
        if any(each.name == made.name and each.source_type == "Repository" for each in others):
            raise _invalid("Name must be unique")
        prefix = _PREFIXES.get(made.target, "")
        words = {ALL, DEFAULT_BRANCH} if made.target == "branch" else {ALL}
        names = made.conditions.ref_name
        for pattern in (*names.include, *names.exclude):
            if pattern not in words and not pattern.startswith(prefix):
                raise _invalid(f"Invalid target patterns: '{pattern}'")
        if made.enforcement == "evaluate":
            raise _invalid("Enforcement evaluate option is not supported on this plan")
        for at, rule in enumerate(made.rules):
            if rule.type not in _NEEDED or not _NEEDED[rule.type] <= (rule.parameters or {}).keys():
                what = f"Invalid property /rules/{at}: data matches no possible input."
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Invalid request.\n\n{what}")
        for actor in made.bypass_actors:
            if actor.actor_type in {"Team", "OrganizationAdmin"} and not self.handler.is_organisation:
                raise _invalid(f"Actor {actor.actor_type} must be part of the ruleset source or owner organization")
            if actor.bypass_mode == "pull_request" and made.target != "branch":
                raise _invalid("Bypass mode pull_request is only for branch rulesets")
        return made

    def _source(self, ruleset: StoredRuleset) -> str:
        repository = self.handler.shapes.repository
        own = ruleset.source_type == "Repository"
        return ruleset.source or (repository if own else repository.partition("/")[0])

    def _brief(self, ruleset: StoredRuleset) -> dict[str, Any]:
        root = f"{self.handler.shapes.root}/rulesets/{ruleset.id}"
        page = f"{self.handler.shapes.site}/{self.handler.shapes.repository}/rules/{ruleset.id}"
        return {
            "id": ruleset.id,
            "name": ruleset.name,
            "target": ruleset.target,
            "source_type": ruleset.source_type,
            "source": self._source(ruleset),
            "enforcement": ruleset.enforcement,
            "node_id": f"RRS_{ruleset.id}",
            "_links": {"self": {"href": root}, "html": {"href": page}},
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }

    def _whole(self, ruleset: StoredRuleset, *, admin: bool) -> dict[str, Any]:
        answer = {
            **self._brief(ruleset),
            "conditions": msgspec.to_builtins(ruleset.conditions),
            "rules": msgspec.to_builtins(ruleset.rules),
            "current_user_can_bypass": self._bypass(ruleset, admin=admin),
        }
        return {**answer, "bypass_actors": msgspec.to_builtins(ruleset.bypass_actors)} if admin else answer

    def _bypass(self, ruleset: StoredRuleset, *, admin: bool) -> str:
        """Whether the sender may bypass it: here only administrators can, by their role."""
        mine = (each for each in ruleset.bypass_actors if admin and each.actor_type == "RepositoryRole")
        modes = {each.bypass_mode for each in mine if each.actor_id == ADMIN_ROLE}
        return "always" if modes & {"always", "exempt"} else "pull_requests_only" if modes else "never"

    def _active(self, held: tuple[StoredRuleset, RuleBody]) -> dict[str, Any]:
        ruleset, rule = held
        return {
            **msgspec.to_builtins(rule),
            "ruleset_source_type": ruleset.source_type,
            "ruleset_source": self._source(ruleset),
            "ruleset_id": ruleset.id,
        }


ADMIN_ROLE = 5
"""The number of the role of administrators, the same in every repository."""


def _changed(before: StoredRuleset, body: RulesetBody) -> StoredRuleset:
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not None}
    return replace(before, **given)


def _invalid(what: str) -> Problem:
    return invalid("Ruleset", "custom", "ruleset", what)
