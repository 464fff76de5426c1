"""The rules of the branch and of the tags, as checks."""

from __future__ import annotations

import pytest
from tests.support.access_checks import Surroundings
from tests.support.repository_rules import ADMINS, SOLE, FakeRules, pull_request, ruleset, tag_ruleset

from unmoor.checks.access.rules import BRANCH_RULES, TAG_RULES
from unmoor.checks.model import RepositoryCheck
from unmoor.errors import Denied, Unknown
from unmoor.ports.repository_rules import PlanWithoutRules, RuledRepository, Ruleset
from unmoor.util.values import replace

BRANCH = ruleset("deletion", "non_fast_forward", pull_request(dismiss_stale_reviews_on_push=True))
TAGS = tag_ruleset("creation", "update", "deletion", id=8)


@pytest.mark.parametrize(
    ("check", "held", "state", "words"),
    [
        (BRANCH_RULES, (BRANCH,), "passed", ""),
        (BRANCH_RULES, (TAGS,), "warned", "branch main: no rule for: pull request"),
        (BRANCH_RULES, (replace(BRANCH, enforcement="disabled"),), "warned", "no forced push"),
        (BRANCH_RULES, (replace(BRANCH, exclude=("refs/heads/x",)),), "passed", "excludes refs/heads/x"),
        (TAG_RULES, (TAGS,), "passed", ""),
        (TAG_RULES, (BRANCH,), "warned", "no rule for: nobody moves it"),
        (TAG_RULES, (replace(TAGS, bypass=(ADMINS,)),), "warned", "no rule for: nobody moves it"),
        (TAG_RULES, (replace(TAGS, bypass=None),), "unknown", "only an administrator's token sees"),
    ],
    ids=["branch", "none", "disabled", "excluded", "tags", "no tags", "bypass", "hidden"],
)
def test_rules_are_those_of_protect(check: RepositoryCheck, held: tuple[Ruleset, ...], state: str, words: str) -> None:
    """What it would add is a warning, and what the token cannot see is unknown."""
    found, said = Surroundings(rules=FakeRules(held=list(held))).words(check)
    assert found == state
    assert words in said


def test_a_branch_whose_writers_are_hidden_is_unknown() -> None:
    """Whether an approval has to be asked for depends on them; tags do not."""
    rules = FakeRules(held=[BRANCH, TAGS], may_push=Denied("no"))
    found, said = Surroundings(rules=rules).words(BRANCH_RULES)
    assert (found, "who may push" in said) == ("unknown", True)
    assert Surroundings(rules=rules).words(TAG_RULES)[0] == "passed"


class Failing(FakeRules):
    """Rules whose repository cannot be read."""

    error: Unknown | PlanWithoutRules = Unknown("no answer")

    def repository(self) -> RuledRepository:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "state"),
    [(Unknown("no answer"), "unknown"), (PlanWithoutRules("the plan has no rulesets"), "warned")],
    ids=["lost", "plan"],
)
def test_a_plan_without_rules_is_a_finding(error: Unknown | PlanWithoutRules, state: str) -> None:
    """Then there are none, which is known; without an answer nothing is."""
    rules = Failing(seen=SOLE)
    rules.error = error
    found, said = Surroundings(rules=rules).words(BRANCH_RULES)
    assert found == state
    assert error.what in said
