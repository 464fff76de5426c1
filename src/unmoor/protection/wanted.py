"""What unmoor asks of a repository: the rules of its default branch and of its release tags, in three rulesets.

Tags take two, since who may bypass a ruleset may bypass all of its rules: some people create tags, but nobody moves or
deletes them.
"""

from __future__ import annotations

import msgspec

from unmoor.ports.repository_rules import BypassActor, ReportedCheck, Rule, RuledRepository, Ruleset
from unmoor.protection.strictness import CHECKS
from unmoor.util.ref_patterns import BRANCHES, DEFAULT_BRANCH, TAGS

ALL_CHECKS = "all-checks"
"""The job of ci.yml that fails if any other fails."""
BRANCH, CREATION, KEEPING = "unmoor: default branch", "unmoor: who creates release tags", "unmoor: release tags"
"""The names of the rulesets."""
# The numbers of GitHub's own roles, the same in every repository.
_MAINTAIN, _ADMIN = 2, 5
ROLES = {1: "read", _MAINTAIN: "maintain", 3: "triage", 4: "write", _ADMIN: "admin"}


class RulesState(msgspec.Struct, frozen=True, kw_only=True):
    """A repository and its rules as the forge shows them, with what decides which rules fit it.

    ``tags`` are the patterns of its release tags. ``protected`` says whether anything protects the branch. ``check`` is
    the check of `ALL_CHECKS` that reported there, ``None`` if none did. ``signed`` says whether all recent commits are
    signed. ``writers`` is ``None`` if the forge does not show them to this token. ``owners`` says whether a CODEOWNERS
    file names owners of the workflows. ``hidden`` is what else the token may not see, in words.
    """

    repository: RuledRepository
    rulesets: tuple[Ruleset, ...]
    tags: tuple[str, ...]
    protected: bool = False
    check: ReportedCheck | None = None
    signed: bool = False
    writers: tuple[str, ...] | None = None
    owners: bool = False
    hidden: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        """The default branch."""
        return self.repository.default_branch

    @property
    def has_reviewers(self) -> bool:
        """Whether it is known that somebody else can approve the change of a maintainer."""
        return self.writers is not None and len(self.writers) > 1


class ProtectionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for. ``approvals`` is ``None`` for one if there is somebody to give it, else none."""

    approvals: int | None = None
    signed: bool = False


class WantedRuleset(msgspec.Struct, frozen=True, kw_only=True):
    """A ruleset to have. ``nobody`` may bypass it; else ``bypass`` may if it has to be created.

    ``about`` names its branch or tags for people. ``ref`` is the only ref that it is for, empty for patterns.
    """

    name: str
    about: str
    target: str
    include: tuple[str, ...]
    rules: tuple[Rule, ...]
    ref: str = ""
    bypass: tuple[BypassActor, ...] = ()
    nobody: bool = False

    def created(self, rules: tuple[Rule, ...]) -> Ruleset:
        """The ruleset to create, with those of its rules that no other one has."""
        return Ruleset(name=self.name, target=self.target, include=self.include, rules=rules, bypass=self.bypass)


def wanted_rulesets(state: RulesState, options: ProtectionOptions) -> tuple[WantedRuleset, ...]:
    """The rulesets that fit a repository."""
    tags = tuple(f"{TAGS}{each}" for each in state.tags)
    names = f"tags {', '.join(state.tags)}"
    roles = (_ADMIN, _MAINTAIN) if state.repository.organisation else (_ADMIN,)
    return (
        WantedRuleset(
            name=BRANCH,
            about=f"branch {state.branch}",
            target="branch",
            include=(DEFAULT_BRANCH,),
            ref=f"{BRANCHES}{state.branch}",
            rules=_branch_rules(state, options),
        ),
        WantedRuleset(
            name=CREATION,
            about=names,
            target="tag",
            include=tags,
            rules=(Rule(type="creation"),),
            bypass=tuple(BypassActor(kind="RepositoryRole", id=each) for each in roles),
        ),
        WantedRuleset(
            name=KEEPING,
            about=names,
            target="tag",
            include=tags,
            rules=(Rule(type="update"), Rule(type="deletion")),
            nobody=True,
        ),
    )


def _branch_rules(state: RulesState, options: ProtectionOptions) -> tuple[Rule, ...]:
    approvals = options.approvals if options.approvals is not None else int(state.has_reviewers)
    rules = [
        Rule(type="deletion"),
        Rule(type="non_fast_forward"),
        Rule(
            type="pull_request",
            parameters={
                "dismiss_stale_reviews_on_push": True,
                # The owner of a file cannot approve an own change, so this asks for a second person too.
                "require_code_owner_review": approvals > 0,
                "require_last_push_approval": False,
                "required_approving_review_count": approvals,
                "required_review_thread_resolution": False,
            },
        ),
    ]
    if state.check is not None:
        app = {"integration_id": state.check.app} if state.check.app else {}
        required = [{"context": state.check.name, **app}]
        rules.append(Rule(type=CHECKS, parameters={CHECKS: required, "strict_required_status_checks_policy": True}))
    if state.signed or options.signed:
        rules.append(Rule(type="required_signatures"))
    return tuple(rules)
