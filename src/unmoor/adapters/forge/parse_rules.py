"""Parse the forge's answers about rulesets, environments and settings. An invalid answer is `Unknown`."""

from __future__ import annotations

from typing import Any

import msgspec

from unmoor.adapters.github.answers import converted, malformed
from unmoor.adapters.github.author import GitHubUser
from unmoor.ports.repository_rules import (
    REPOSITORY,
    BranchRule,
    BranchState,
    BypassActor,
    DeploymentEnvironment,
    DeploymentPolicy,
    RecentCommit,
    ReportedCheck,
    Rule,
    RuledRepository,
    Ruleset,
    WorkflowPermissions,
)
from unmoor.util.text import clean


class _Owner(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""


class _Permissions(msgspec.Struct, frozen=True, kw_only=True):
    admin: bool | None = None


class _Repository(msgspec.Struct, frozen=True, kw_only=True):
    full_name: str
    private: bool
    default_branch: str
    owner: _Owner = _Owner()
    permissions: _Permissions | None = None


class _BranchRule(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    parameters: dict[str, Any] | None = None
    ruleset_source_type: str = REPOSITORY
    ruleset_source: str = ""
    ruleset_id: int = 0


class _RefName(msgspec.Struct, frozen=True, kw_only=True):
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class _Conditions(msgspec.Struct, frozen=True, kw_only=True):
    ref_name: _RefName | None = None


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    parameters: dict[str, Any] | None = None


class _Actor(msgspec.Struct, frozen=True, kw_only=True):
    actor_type: str
    actor_id: int | None = None
    bypass_mode: str = "always"


class _Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    enforcement: str
    target: str = "branch"
    source_type: str = REPOSITORY
    source: str = ""
    conditions: _Conditions | None = None
    rules: tuple[_Rule, ...] | None = None
    bypass_actors: tuple[_Actor, ...] | None = None
    current_user_can_bypass: str | bool | None = None


class _Commit(msgspec.Struct, frozen=True, kw_only=True):
    sha: str


class _Branch(msgspec.Struct, frozen=True, kw_only=True):
    commit: _Commit
    protected: bool


class _Verification(msgspec.Struct, frozen=True, kw_only=True):
    verified: bool = False


class _Details(msgspec.Struct, frozen=True, kw_only=True):
    verification: _Verification | None = None


class _Committed(msgspec.Struct, frozen=True, kw_only=True):
    sha: str
    commit: _Details


class _App(msgspec.Struct, frozen=True, kw_only=True):
    id: int = 0


class _CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    app: _App | None = None


class _CheckRuns(msgspec.Struct, frozen=True, kw_only=True):
    check_runs: tuple[_CheckRun, ...]


class _Protection(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    reviewers: tuple[Any, ...] | None = None


class _BranchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    protected_branches: bool
    custom_branch_policies: bool


class _Environment(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    protection_rules: tuple[_Protection, ...] = ()
    deployment_branch_policy: _BranchPolicy | None = None


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str = "branch"


class _Policies(msgspec.Struct, frozen=True, kw_only=True):
    total_count: int
    branch_policies: tuple[_Policy, ...]


class _Environments(msgspec.Struct, frozen=True, kw_only=True):
    total_count: int
    environments: tuple[_Environment, ...] = ()


class _Immutable(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool


class _Workflows(msgspec.Struct, frozen=True, kw_only=True):
    default_workflow_permissions: str
    can_approve_pull_request_reviews: bool


def repository(raw: Any, *, where: str) -> RuledRepository:
    """Read ``GET /repos/{owner}/{repo}``. Raises `Unknown`."""
    seen = converted(raw, _Repository, "a repository", where)
    return RuledRepository(
        full_name=clean(seen.full_name),
        default_branch=seen.default_branch,
        private=seen.private,
        organisation=seen.owner.type == "Organization",
        can_administer=seen.permissions.admin if seen.permissions else None,
    )


def branch_rule(raw: Any, *, where: str) -> BranchRule:
    """Read one rule of ``GET /rules/branches/{branch}``. Raises `Unknown`."""
    seen = converted(raw, _BranchRule, "a rule of a branch", where)
    return BranchRule(
        type=clean(seen.type, 60),
        parameters=seen.parameters or {},
        source=clean(seen.ruleset_source, 200),
        level=seen.ruleset_source_type,
        ruleset=seen.ruleset_id,
    )


def ruleset_id(raw: Any, *, where: str) -> int:
    """The number of a ruleset in a list. Raises `Unknown`."""
    return converted(raw, _Ruleset, "a ruleset", where).id


def ruleset(raw: Any, *, where: str) -> Ruleset:
    """Read one ruleset with its rules. Raises `Unknown`, also if it has no list of rules."""
    seen = converted(raw, _Ruleset, "a ruleset", where)
    if seen.rules is None:
        raise malformed("a ruleset with its rules", where)
    refs = (seen.conditions.ref_name if seen.conditions else None) or _RefName()
    actors = seen.bypass_actors
    return Ruleset(
        id=seen.id,
        name=clean(seen.name, 200),
        target=seen.target,
        enforcement=seen.enforcement,
        include=refs.include,
        exclude=refs.exclude,
        rules=tuple(Rule(type=clean(each.type, 60), parameters=each.parameters or {}) for each in seen.rules),
        bypass=None
        if actors is None
        else tuple(BypassActor(kind=each.actor_type, id=each.actor_id, mode=each.bypass_mode) for each in actors),
        source=clean(seen.source, 200),
        level=seen.source_type,
        can_bypass=seen.current_user_can_bypass if isinstance(seen.current_user_can_bypass, str) else "",
    )


def branch(raw: Any, *, where: str) -> BranchState:
    """Read ``GET /branches/{branch}``. Raises `Unknown`."""
    seen = converted(raw, _Branch, "a branch", where)
    return BranchState(commit=seen.commit.sha, protected=seen.protected)


def commit(raw: Any, *, where: str) -> RecentCommit:
    """Read one commit of a list. Raises `Unknown`."""
    seen = converted(raw, _Committed, "a commit", where)
    verification = seen.commit.verification
    return RecentCommit(sha=seen.sha, verified=bool(verification and verification.verified))


def check_runs(raw: Any, *, where: str) -> tuple[ReportedCheck, ...]:
    """Read ``GET /commits/{ref}/check-runs``. Raises `Unknown`."""
    seen = converted(raw, _CheckRuns, "a list of checks", where)
    return tuple(ReportedCheck(name=each.name, app=each.app.id if each.app else 0) for each in seen.check_runs)


def login(raw: Any, *, where: str) -> str:
    """Read the name of one collaborator. Raises `Unknown`."""
    return clean(converted(raw, GitHubUser, "a collaborator", where).login, 100)


def environment_page(raw: Any, *, where: str) -> tuple[int, tuple[_Environment, ...]]:
    """Read a page of ``GET /environments``: how many there are in all, and those of the page. Raises `Unknown`."""
    seen = converted(raw, _Environments, "a list of environments", where)
    return seen.total_count, seen.environments


def policies(raw: Any, *, where: str) -> tuple[DeploymentPolicy, ...]:
    """Read ``GET /environments/{name}/deployment-branch-policies``. Raises `Unknown`, also for a part of the list."""
    seen = converted(raw, _Policies, "a list of deployment policies", where)
    if seen.total_count > len(seen.branch_policies):
        raise malformed("a complete list of deployment policies", where)
    return tuple(DeploymentPolicy(name=clean(each.name, 200), type=each.type) for each in seen.branch_policies)


def environment(seen: _Environment, found: tuple[DeploymentPolicy, ...] | None) -> DeploymentEnvironment:
    """An environment with the policies of its own."""
    reviewers = (len(rule.reviewers or ()) for rule in seen.protection_rules if rule.type == "required_reviewers")
    policy = seen.deployment_branch_policy
    return DeploymentEnvironment(
        name=clean(seen.name, 200),
        reviewers=sum(reviewers),
        policies=found,
        protected_only=policy is not None and policy.protected_branches,
    )


def immutable(raw: Any, *, where: str) -> bool:
    """Read ``GET /immutable-releases``. Raises `Unknown`."""
    return converted(raw, _Immutable, "an answer about immutable releases", where).enabled


def workflow_permissions(raw: Any, *, where: str) -> WorkflowPermissions:
    """Read ``GET /actions/permissions/workflow``. Raises `Unknown`."""
    seen = converted(raw, _Workflows, "the permissions of workflows", where)
    return WorkflowPermissions(
        default=seen.default_workflow_permissions, may_approve=seen.can_approve_pull_request_reviews
    )


def as_json(ruleset: Ruleset) -> dict[str, Any]:
    """The body of a request that creates or replaces a ruleset."""
    return {
        "name": ruleset.name,
        "target": ruleset.target,
        "enforcement": ruleset.enforcement,
        "bypass_actors": [
            {"actor_type": each.kind, "actor_id": each.id, "bypass_mode": each.mode} for each in ruleset.bypass or ()
        ],
        "conditions": {"ref_name": {"include": list(ruleset.include), "exclude": list(ruleset.exclude)}},
        "rules": [
            {"type": each.type, "parameters": dict(each.parameters)} if each.parameters else {"type": each.type}
            for each in ruleset.rules
        ],
    }
