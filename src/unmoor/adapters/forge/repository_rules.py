"""The rules of one GitHub repository: rulesets, environments, and the settings that only administrators see.

Sources: the pages "Rules", "Deployment environments", "Deployment branch policies", "Branches", "Collaborators",
"GitHub Actions permissions" and "Repositories" of GitHub's REST API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unmoor import advice
from unmoor.adapters.forge import parse_rules
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import BeyondPlan, NotFound, malformed
from unmoor.errors import Denied, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.repository_rules import (
    BranchRule,
    BranchState,
    DeploymentEnvironment,
    DeploymentPolicy,
    PlanWithoutRules,
    RecentCommit,
    ReportedCheck,
    RuledRepository,
    Ruleset,
    WorkflowPermissions,
)
from unmoor.ports.world import ForgePlace

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_SIZE = 100
_COMMITS = 20
_ENVIRONMENT_PAGES = 10


class GitHubRules:
    """The rules of one repository on GitHub or a local stand-in. Implements `RepositoryRules`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock, pace: Pace | None = None) -> None:
        self._place = place
        self._token = place.login.secret
        pace = pace or Pace(place.api, clock)
        rights = advice.GRANT_ADMINISTRATION()
        self._api = GitHubClient(place, http, clock, token=self._token or None, pace=pace, rights=rights)
        self._root = f"/repos/{quote(place.repository)}"

    @property
    def address(self) -> str:
        """The address of the repository's web page."""
        return f"{self._place.site.rstrip('/')}/{self._place.repository}"

    def has_token(self) -> bool:
        """Whether there is a token. Sends nothing."""
        return bool(self._token)

    def repository(self) -> RuledRepository:
        """Read the repository; see the port."""
        return parse_rules.repository(self._api.read(self._root), where=self._api.where(self._root))

    def rules_for_branch(self, branch: str) -> tuple[BranchRule, ...]:
        """The active rules for a branch; see the port. A plan without rulesets has none."""
        path = f"{self._root}/rules/branches/{quote(branch, safe='')}"
        try:
            found = self._listed(path, "rules")
        except PlanWithoutRules:
            return ()
        return tuple(parse_rules.branch_rule(raw, where=self._api.where(path)) for raw in found)

    def branch(self, branch: str) -> BranchState | None:
        """Read a branch; see the port."""
        path = f"{self._root}/branches/{quote(branch, safe='')}"
        try:
            raw = self._api.read(path)
        except NotFound:
            self.repository()  # raises if it is hidden, and then the branch may be there
            return None
        return parse_rules.branch(raw, where=self._api.where(path))

    def rulesets(self) -> tuple[Ruleset, ...]:
        """Every ruleset with its rules; see the port. The list has none of these, so each is read."""
        path = f"{self._root}/rulesets"
        listed = self._listed(f"{path}?includes_parents=true", "rulesets")
        numbers = [parse_rules.ruleset_id(raw, where=self._api.where(path)) for raw in listed]
        return tuple(self._ruleset(number) for number in sorted(numbers))

    def _ruleset(self, number: int) -> Ruleset:
        path = f"{self._root}/rulesets/{number}"
        return parse_rules.ruleset(self._api.read(f"{path}?includes_parents=true"), where=self._api.where(path))

    def create(self, ruleset: Ruleset) -> Ruleset:
        """Create a ruleset; see the port."""
        path = f"{self._root}/rulesets"
        made = self._written(lambda: self._api.post(path, parse_rules.as_json(ruleset)))
        return parse_rules.ruleset(made, where=self._api.where(path))

    def update(self, ruleset: Ruleset) -> Ruleset:
        """Replace a ruleset; see the port."""
        path = f"{self._root}/rulesets/{ruleset.id}"
        made = self._written(lambda: self._api.put(path, parse_rules.as_json(ruleset)))
        return parse_rules.ruleset(made, where=self._api.where(path))

    def recent_commits(self, branch: str) -> tuple[RecentCommit, ...]:
        """The last commits of a branch; see the port."""
        path = f"{self._root}/commits"
        found = self._api.read(f"{path}?sha={quote(branch, safe='')}&per_page={_COMMITS}")
        where = self._api.where(path)
        if not isinstance(found, list):
            raise malformed("a list of commits", where)
        return tuple(parse_rules.commit(raw, where=where) for raw in found)

    def reported_checks(self, commit: str, name: str) -> tuple[ReportedCheck, ...]:
        """The checks of a name on a commit; see the port."""
        path = f"{self._root}/commits/{quote(commit, safe='')}/check-runs"
        found = self._api.read(f"{path}?check_name={quote(name, safe='')}&per_page={_SIZE}")
        checks = parse_rules.check_runs(found, where=self._api.where(path))
        return tuple(each for each in checks if each.name == name)

    def writers(self) -> tuple[str, ...]:
        """Those who may push; see the port."""
        path = f"{self._root}/collaborators"
        found = self._listed(f"{path}?affiliation=all&permission=push", "collaborators")
        return tuple(sorted(parse_rules.login(raw, where=self._api.where(path)) for raw in found))

    def environments(self) -> tuple[DeploymentEnvironment, ...]:
        """Every environment; see the port."""
        path = f"{self._root}/environments"
        where = self._api.where(path)
        found: list[DeploymentEnvironment] = []
        for number in range(1, _ENVIRONMENT_PAGES + 1):
            raw = self._api.read(f"{path}?per_page={_SIZE}&page={number}")
            total, page = parse_rules.environment_page(raw, where=where)
            for each in page:
                policy = each.deployment_branch_policy
                custom = policy is not None and policy.custom_branch_policies
                policies = self._policies(each.name) if custom else None
                found.append(parse_rules.environment(each, policies))
            if len(found) >= total:
                return tuple(found)
            if not page:
                break
        raise Unknown(f"the list of environments ends after {len(found)}", where=where)

    def _policies(self, name: str) -> tuple[DeploymentPolicy, ...]:
        path = f"{self._root}/environments/{quote(name, safe='')}/deployment-branch-policies"
        return parse_rules.policies(self._api.read(f"{path}?per_page={_SIZE}"), where=self._api.where(path))

    def immutable_releases(self) -> bool:
        """Whether published releases are immutable; see the port."""
        path = f"{self._root}/immutable-releases"
        try:
            raw = self._api.read(path)
        except NotFound:
            # GitHub says 404 to administrators if they are not, and to everybody else in any case.
            if self.repository().can_administer is not True:
                raise
            return False
        return parse_rules.immutable(raw, where=self._api.where(path))

    def workflow_permissions(self) -> WorkflowPermissions:
        """The permissions of workflows; see the port."""
        path = f"{self._root}/actions/permissions/workflow"
        return parse_rules.workflow_permissions(self._api.read(path), where=self._api.where(path))

    def _written(self, call: Callable[[], Any]) -> Any:
        """Write, and return the answer. To some tokens without the permission GitHub answers 404."""
        try:
            return call()
        except NotFound as error:
            raise Denied(
                "the token may not change the rules of the repository",
                where=error.where,
                next_step=advice.GRANT_ADMINISTRATION(),
            ) from error
        except BeyondPlan as error:
            raise self._without_rules() from error

    def _listed(self, path: str, what: str) -> list[Any]:
        try:
            return self._api.listed(path, what, size=_SIZE)
        except BeyondPlan as error:
            raise self._without_rules() from error

    def _without_rules(self) -> PlanWithoutRules:
        """The error for a plan of the owner that has no rulesets."""
        return PlanWithoutRules(
            "the plan of its owner has no rulesets for a private repository",
            where=self.address,
            next_step=advice.MAKE_PUBLIC_OR_UPGRADE(),
        )
