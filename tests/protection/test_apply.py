"""Writing a proposal: refused before the first write, or told what is written."""

from __future__ import annotations

import pytest
from tests.support.repository_rules import SOLE, TAGS, FakeRules

from unmoor import advice
from unmoor.errors import Conflict, Denied, Unknown
from unmoor.ports.repository_rules import RecentCommit
from unmoor.protection.apply import apply, require_administration, require_applied
from unmoor.protection.proposal import Proposal, RulesetChange, propose
from unmoor.protection.reading import owns_workflows, read_state
from unmoor.protection.wanted import ProtectionOptions
from unmoor.util.values import replace


def proposal_of(rules: FakeRules) -> Proposal:
    """What is missing in these rules."""
    return propose(read_state(rules, TAGS), ProtectionOptions())


def test_what_is_written_is_said_and_read_back() -> None:
    """A line for each ruleset; afterwards nothing is missing."""
    rules, said = FakeRules(), list[str]()
    apply(proposal_of(rules), rules, say=said.append)
    assert said[0] == 'created the ruleset "unmoor: default branch"'
    assert len(said) == 3
    require_applied(proposal_of(rules), rules)


def test_rules_that_somebody_changed_meanwhile_are_a_conflict() -> None:
    """The command does not claim what the forge does not show."""
    rules = FakeRules()
    with pytest.raises(Conflict, match="other rules than those that were written") as caught:
        require_applied(proposal_of(rules), rules)
    assert caught.value.next_step.ids == ("compare-rules",)


def test_a_write_that_fails_says_what_is_written() -> None:
    """The first failure leaves everything as it was; a later one names how far it went, and a second run goes on."""
    lost = Unknown("no answer")
    rules = FakeRules(fails={1: lost})
    with pytest.raises(Unknown, match=r"^no answer$"):
        apply(proposal_of(rules), rules, say=print)
    assert rules.held == []
    rules = FakeRules(fails={3: lost})
    with pytest.raises(Unknown, match="no answer; 2 of 3 rulesets are written") as caught:
        apply(proposal_of(rules), rules, say=print)
    assert caught.value.retryable
    rules.fails = {}
    assert len(proposal_of(rules).changes) == 1
    apply(proposal_of(rules), rules, say=print)
    assert proposal_of(rules).changes == ()


def test_a_ruleset_that_is_not_shown_as_a_whole_is_not_replaced() -> None:
    """Replacing it would remove those who may bypass it, or let others in. Nothing else is written either."""
    rules = FakeRules()
    apply(proposal_of(rules), rules, say=print)
    rules.held = [replace(each, bypass=None, rules=each.rules[:1]) for each in rules.held[:1]]
    rules.written.clear()
    with pytest.raises(Denied, match="does not show who may bypass"):
        apply(proposal_of(rules), rules, say=print)
    assert rules.written == []


def test_a_weaker_ruleset_is_never_written() -> None:
    """Whatever is wrong in a proposal, the last look before the write sees it."""
    rules = FakeRules()
    apply(proposal_of(rules), rules, say=print)
    before = rules.held[0]
    change = RulesetChange(before=before, after=replace(before, rules=before.rules[1:]))
    proposal = replace(proposal_of(rules), changes=(change,))
    with pytest.raises(Exception, match="would be weaker"):
        apply(proposal, rules, say=print)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (FakeRules(token=False), "there is no token"),
        (FakeRules(seen=replace(SOLE, can_administer=False)), "does not administer"),
    ],
    ids=["no token", "no administrator"],
)
def test_without_the_permission_nothing_is_tried(rules: FakeRules, words: str) -> None:
    """The forge says so before anything is written."""
    with pytest.raises(Denied, match=words) as caught:
        require_administration(rules, rules.repository())
    assert caught.value.next_step == advice.GRANT_ADMINISTRATION()


@pytest.mark.parametrize("can_administer", [True, None])
def test_who_may_have_the_permission_can_try(*, can_administer: bool | None) -> None:
    """The forge does not tell apps what they may do."""
    rules = FakeRules(seen=replace(SOLE, can_administer=can_administer))
    require_administration(rules, rules.repository())


def test_what_is_hidden_from_a_token_stays_open() -> None:
    """Without the list of those who may push, nobody is asked to approve; an empty repository has no commits."""
    state = read_state(FakeRules(may_push=Denied("no"), commits=()), TAGS)
    assert (state.writers, state.signed, state.check, state.hidden) == (None, False, None, ())


class Hiding(FakeRules):
    """Rules whose commits and checks this token may not see."""

    def recent_commits(self, branch: str) -> tuple[RecentCommit, ...]:
        """Refuse."""
        raise Denied(branch)


def test_hidden_commits_are_said() -> None:
    """A token for the settings only need not see the content: the rules that depend on it are left out."""
    rules = Hiding()
    assert read_state(rules, TAGS).hidden == ("its commits",)
    assert "the token may not see its commits" in proposal_of(rules).notes[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("# * @acme\n", False),
        ("*\n", False),
        ("* @acme\n", True),
        ("/.github/ @acme @b\n", True),
        (".github/** @acme\n", True),
        ("/.github/workflows/* @acme # them\n", True),
        ("/docs/ @acme\n", False),
    ],
)
def test_a_file_of_owners_names_those_of_the_workflows(text: str, *, expected: bool) -> None:
    """A line for them or for all files, with at least one owner."""
    assert owns_workflows(text) is expected
