"""The rules of the default branch and of the release tags, as ``unmoor protect`` would have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unmoor import advice
from unmoor.checks.access.asking import services_of, workflow_facts
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck
from unmoor.errors import Unknown
from unmoor.ports.repository_rules import PlanWithoutRules
from unmoor.util.text import list_some

Run = Callable[[CheckContext], Iterator[CheckProblem | CheckRemark]]


def _of(begin: str) -> Run:
    """A check of the rules that are about a branch or about tags."""

    def run(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
        from unmoor.protection.proposal import RuleState, propose
        from unmoor.protection.reading import read_state
        from unmoor.protection.wanted import ProtectionOptions

        try:
            state = read_state(services_of(context).rules, workflow_facts(context).tags)
        except PlanWithoutRules as error:
            yield CheckProblem(what=error.what, next_step=error.next_step)
            return
        found = [each for each in propose(state, ProtectionOptions()).rules if each.about.startswith(begin)]
        missing = [each for each in found if each.state in {RuleState.ADD, RuleState.CHANGE}]
        for each in missing:
            yield CheckProblem(what=f"{each.about}: no rule for: {each.what}", next_step=advice.PROTECT())
        hidden = [f"{each.what}, by the {each.source}" for each in found if each.state is RuleState.UNKNOWN]
        if begin == "branch":
            # What they are decides which rules it takes.
            hidden += [*state.hidden, *(["who may push"] if state.writers is None else [])]
        if hidden and not missing:
            raise Unknown(
                f"{found[0].about}: only an administrator's token sees this: {list_some(hidden)}",
                next_step=advice.GRANT_ADMINISTRATION(),
                retryable=False,
            )
        for ruleset in state.rulesets:
            if ruleset.exclude and ruleset.is_active and ruleset.target == begin.removesuffix("s"):
                yield CheckRemark(what=f"the ruleset {ruleset.name} excludes {list_some(ruleset.exclude)}")

    return run


BRANCH_RULES = RepositoryCheck(
    id="branch-rules",
    group=CheckGroup.ACCESS,
    level=CheckLevel.WARNING,
    title="The default branch changes by pull request only",
    reads="the rulesets of the repository and of its organisation, the recent commits, and who may push",
    remedy="see what is missing with `unmoor protect`, and add it with `--apply`",
    run=_of("branch"),
)
TAG_RULES = RepositoryCheck(
    id="tag-rules",
    group=CheckGroup.ACCESS,
    level=CheckLevel.WARNING,
    title="Only some people create release tags, and nobody moves or deletes them",
    reads="the rulesets of the repository and of its organisation",
    remedy="see what is missing with `unmoor protect`, and add it with `--apply`",
    run=_of("tags"),
)
