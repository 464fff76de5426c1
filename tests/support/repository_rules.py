"""The rules of a repository in memory, for tests of what is proposed and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from unmoor.errors import UnmoorError
from unmoor.ports.repository_rules import (
    BranchRule,
    BranchState,
    BypassActor,
    DeploymentEnvironment,
    RecentCommit,
    ReportedCheck,
    Rule,
    RuledRepository,
    Ruleset,
    WorkflowPermissions,
)
from unmoor.util.values import replace

T = TypeVar("T")
TAGS = ("v[0-9]*", "[0-9]*")
SOLE = RuledRepository(
    full_name="acme/demo", default_branch="main", private=False, organisation=False, can_administer=True
)
READ_ONLY = WorkflowPermissions(default="read", may_approve=False)
ADMINS = BypassActor(kind="RepositoryRole", id=5)


def ruleset(*rules: Rule | str, **changes: Any) -> Ruleset:
    """A ruleset of the default branch; a rule without parameters is a word."""
    made = tuple(Rule(type=each) if isinstance(each, str) else each for each in rules)
    return replace(
        Ruleset(name="theirs", target="branch", include=("~DEFAULT_BRANCH",), rules=made, id=7, source="acme/demo"),
        **changes,
    )


def tag_ruleset(*rules: Rule | str, **changes: Any) -> Ruleset:
    """A ruleset of all tags."""
    return ruleset(*rules, **{"target": "tag", "include": ("~ALL",), **changes})


def pull_request(**parameters: Any) -> Rule:
    """A rule that requires a pull request."""
    return Rule(type="pull_request", parameters=parameters)


@dataclass
class FakeRules:
    """Rules in memory. A value that is an error is raised; ``fails`` are the errors of writes, counted from 1."""

    held: list[Ruleset] = field(default_factory=list)
    seen: RuledRepository = SOLE
    commits: tuple[RecentCommit, ...] = (RecentCommit(sha="a" * 40, verified=False),)
    checks: tuple[str, ...] = ()
    may_push: tuple[str, ...] | UnmoorError = ("acme",)
    protected: bool = False
    there: tuple[DeploymentEnvironment, ...] | UnmoorError = ()
    immutable: bool | UnmoorError = True
    permissions: WorkflowPermissions | UnmoorError = READ_ONLY
    token: bool = True
    fails: Mapping[int, UnmoorError] = field(default_factory=dict)
    written: list[Ruleset] = field(default_factory=list)
    address: str = "https://github.com/acme/demo"

    def has_token(self) -> bool:
        """Whether there is a token."""
        return self.token

    def repository(self) -> RuledRepository:
        """The repository."""
        return self.seen

    def rules_for_branch(self, branch: str) -> tuple[BranchRule, ...]:
        """Every rule of an active ruleset of branches."""
        del branch
        return tuple(self._of_branches())

    def _of_branches(self) -> Iterator[BranchRule]:
        for each in self.held:
            if each.target == "branch" and each.is_active:
                for rule in each.rules:
                    yield BranchRule(
                        type=rule.type,
                        parameters=rule.parameters,
                        source=each.source,
                        level=each.level,
                        ruleset=each.id,
                    )

    def branch(self, branch: str) -> BranchState | None:
        """The branch, if it has commits."""
        del branch
        return BranchState(commit=self.commits[0].sha, protected=self.protected) if self.commits else None

    def rulesets(self) -> tuple[Ruleset, ...]:
        """What is held."""
        return tuple(self.held)

    def create(self, ruleset: Ruleset) -> Ruleset:
        """Hold another one."""
        made = replace(ruleset, id=max((each.id for each in self.held), default=0) + 1, source="acme/demo")
        self._write(made)
        self.held.append(made)
        return made

    def update(self, ruleset: Ruleset) -> Ruleset:
        """Hold it in the place of the one with its number."""
        self._write(ruleset)
        self.held = [ruleset if each.id == ruleset.id else each for each in self.held]
        return ruleset

    def _write(self, ruleset: Ruleset) -> None:
        if error := self.fails.get(len(self.written) + 1):
            raise error
        self.written.append(ruleset)

    def recent_commits(self, branch: str) -> tuple[RecentCommit, ...]:
        """The commits."""
        del branch
        return self.commits

    def reported_checks(self, commit: str, name: str) -> tuple[ReportedCheck, ...]:
        """The checks of that name, on every commit."""
        del commit
        return tuple(ReportedCheck(name=each, app=15368) for each in self.checks if each == name)

    def writers(self) -> tuple[str, ...]:
        """Those who may push."""
        return _given(self.may_push)

    def environments(self) -> tuple[DeploymentEnvironment, ...]:
        """The environments."""
        return _given(self.there)

    def immutable_releases(self) -> bool:
        """Whether releases are immutable."""
        return _given(self.immutable)

    def workflow_permissions(self) -> WorkflowPermissions:
        """The permissions of workflows."""
        return _given(self.permissions)


def _given(value: T | UnmoorError) -> T:
    if isinstance(value, UnmoorError):
        raise value
    return value
