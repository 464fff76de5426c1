"""The rules of one repository on the forge: who may change its branches, tags, environments and releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from unmoor.errors import Denied

REPOSITORY = "Repository"
"""The level of a ruleset that belongs to the repository itself; an organisation or an enterprise has others."""


class PlanWithoutRules(Denied):
    """The plan of the repository's owner has no rulesets for it."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: the forge's word for it, such as ``pull_request``, and what it asks for."""

    type: str
    parameters: Mapping[str, Any] = msgspec.field(default_factory=dict)


class BranchRule(Rule, frozen=True, kw_only=True):
    """An active rule for a branch. ``source`` is the repository or organisation that set it, ``level`` which of these.

    ``ruleset`` is the number of its ruleset.
    """

    source: str
    level: str
    ruleset: int

    @property
    def is_own(self) -> bool:
        """Whether the repository itself set the rule."""
        return self.level == REPOSITORY

    @property
    def blocks_push(self) -> bool:
        """Whether the forge refuses a push of new commits to the branch, except by those who may bypass the rule."""
        return self.type in _BLOCKS_PUSH


_BLOCKS_PUSH = frozenset(
    {"pull_request", "required_status_checks", "required_deployments", "merge_queue", "update", "workflows"}
)


class BypassActor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to whom a ruleset does not apply: a role, a team, an app … and its number, if there is one."""

    kind: str
    id: int | None = None
    mode: str = "always"


class Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    """One ruleset: rules for the branches or tags that ``include`` matches and ``exclude`` does not.

    ``id`` is 0 for one that is not on the forge yet. ``target`` is ``branch``, ``tag`` or ``push``; ``enforcement`` is
    ``active``, ``evaluate`` or ``disabled``. ``bypass`` is ``None`` if the forge does not show it: only those who may
    change a ruleset see it. ``can_bypass`` is the forge's word for the token's own user: ``always``,
    ``pull_requests_only``, ``never``, or empty if it does not say.
    """

    name: str
    target: str
    include: tuple[str, ...]
    rules: tuple[Rule, ...]
    exclude: tuple[str, ...] = ()
    enforcement: str = "active"
    bypass: tuple[BypassActor, ...] | None = ()
    id: int = 0
    source: str = ""
    level: str = REPOSITORY
    can_bypass: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is the repository's own."""
        return self.level == REPOSITORY

    @property
    def is_active(self) -> bool:
        """Whether the forge enforces it."""
        return self.enforcement == "active"

    def rule(self, kind: str) -> Rule | None:
        """Its rule of a type, ``None`` if it has none."""
        return next((each for each in self.rules if each.type == kind), None)


class RuledRepository(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules depend on. ``can_administer`` is ``None`` if the forge does not say."""

    full_name: str
    default_branch: str
    private: bool
    organisation: bool
    can_administer: bool | None


class BranchState(msgspec.Struct, frozen=True, kw_only=True):
    """A branch: its last commit, and whether anything protects it, be it a ruleset or a branch protection rule."""

    commit: str
    protected: bool


class RecentCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of a branch, and whether the forge verified its signature."""

    sha: str
    verified: bool


class ReportedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check that reported on a commit. ``app`` is the number of the app that did, 0 if the forge does not say."""

    name: str
    app: int


class DeploymentPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern of the branches or tags that may use an environment. ``type`` is ``branch`` or ``tag``."""

    name: str
    type: str


class DeploymentEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment. ``reviewers`` counts those who can approve its jobs, 0 if nobody has to.

    ``policies`` are the patterns of the refs that may use it; ``None`` if any ref may. ``protected_only`` is true if
    only protected branches may, which no tag is.
    """

    name: str
    reviewers: int
    policies: tuple[DeploymentPolicy, ...] | None
    protected_only: bool = False


class WorkflowPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """What the token of a job may do if its workflow does not say: ``default`` is ``read`` or ``write``."""

    default: str
    may_approve: bool


class RepositoryRules(Protocol):
    """The rules of one repository on one forge.

    Every read raises `Denied` if the token may not see it, and `Unknown` if it cannot be read.
    """

    @property
    def address(self) -> str:
        """The web address of the repository."""

    def has_token(self) -> bool:
        """Whether there is a token. Sends nothing."""

    def repository(self) -> RuledRepository:
        """Read the repository."""

    def rules_for_branch(self, branch: str) -> tuple[BranchRule, ...]:
        """The active rules for a branch, those of the organisation too. The branch need not exist.

        Whoever can read the repository can read them. Branch protection rules are not among them: `branch` tells
        whether there is one.
        """

    def branch(self, branch: str) -> BranchState | None:
        """Read a branch; ``None`` if there is none."""

    def rulesets(self) -> tuple[Ruleset, ...]:
        """Every ruleset that applies to the repository, those of the organisation too, whatever its enforcement."""

    def create(self, ruleset: Ruleset) -> Ruleset:
        """Create a ruleset, trying once. Raises `Denied`, `Rejected`, and `Unknown` if the answer is lost."""

    def update(self, ruleset: Ruleset) -> Ruleset:
        """Replace the ruleset with that number, trying once. Raises as `create` does."""

    def recent_commits(self, branch: str) -> tuple[RecentCommit, ...]:
        """The last commits of a branch, the newest first."""

    def reported_checks(self, commit: str, name: str) -> tuple[ReportedCheck, ...]:
        """The checks of a name that reported on a commit."""

    def writers(self) -> tuple[str, ...]:
        """The names of those who may push, sorted. Only they see this list."""

    def environments(self) -> tuple[DeploymentEnvironment, ...]:
        """Every environment of the repository."""

    def immutable_releases(self) -> bool:
        """Whether published releases are immutable. Only administrators see that."""

    def workflow_permissions(self) -> WorkflowPermissions:
        """What the token of a job may do by default. Only administrators see that."""
