"""Read what decides which rules fit a repository. What the token may not see is left open, except the rulesets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from unmoor.errors import Denied
from unmoor.ports.repository_rules import RecentCommit, ReportedCheck, RepositoryRules
from unmoor.protection.wanted import ALL_CHECKS, RulesState

T = TypeVar("T")
CODE_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file: the first one counts."""
_LOOKED_AT = 10
_WORKFLOWS = ("*", "/.github", ".github", "/.github/workflows", ".github/workflows", "**")


def read_state(rules: RepositoryRules, tags: tuple[str, ...], *, owners: bool = False) -> RulesState:
    """Read a repository, its rulesets and the recent commits of its default branch.

    Raises `Denied` and `Unknown`, and `PlanWithoutRules` if there can be none.
    """
    repository = rules.repository()
    rulesets = rules.rulesets()
    hidden: list[str] = []

    def seen(what: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Denied:
            hidden.append(what)
            return otherwise

    branch = seen("the default branch", lambda: rules.branch(repository.default_branch), None)
    commits: tuple[RecentCommit, ...] = ()
    if branch is not None:
        commits = seen("its commits", lambda: rules.recent_commits(repository.default_branch), ())
    return RulesState(
        repository=repository,
        rulesets=rulesets,
        tags=tags,
        protected=branch is not None and branch.protected,
        check=seen("the checks of its commits", lambda: _reported(rules, commits), None),
        signed=bool(commits) and all(each.verified for each in commits),
        writers=_writers(rules),
        owners=owners,
        hidden=tuple(hidden),
    )


def _reported(rules: RepositoryRules, commits: tuple[RecentCommit, ...]) -> ReportedCheck | None:
    """The check of one of the last commits: some changes start no workflow."""
    for commit in commits[:_LOOKED_AT]:
        if found := rules.reported_checks(commit.sha, ALL_CHECKS):
            return found[0]
    return None


def _writers(rules: RepositoryRules) -> tuple[str, ...] | None:
    try:
        return rules.writers()
    except Denied:
        return None


def owns_workflows(code_owners: str) -> bool:
    """Whether a CODEOWNERS file names somebody for the workflows, or for all files."""
    for line in code_owners.splitlines():
        words = line.partition("#")[0].split()
        if words[1:] and words[0].removesuffix("**").removesuffix("/*").rstrip("/") in {*_WORKFLOWS, ""}:
            return True
    return False
