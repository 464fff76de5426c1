"""What is proposed for a repository, and that applying it never weakens anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.repository_rules import ADMINS, SOLE, TAGS, FakeRules, pull_request, ruleset, tag_ruleset

from unmoor.errors import Refused
from unmoor.ports.repository_rules import BypassActor, ReportedCheck, Rule, Ruleset
from unmoor.protection.apply import apply
from unmoor.protection.effects import effects
from unmoor.protection.proposal import Proposal, propose
from unmoor.protection.reading import read_state
from unmoor.protection.strictness import CHECKS, is_weaker
from unmoor.protection.wanted import BRANCH, CREATION, KEEPING, ProtectionOptions, RulesState, wanted_rulesets
from unmoor.util.values import replace

DEFAULTS = ProtectionOptions()
WHOLE_PULL_REQUEST = pull_request(dismiss_stale_reviews_on_push=True, required_approving_review_count=0)
CHECKED = ReportedCheck(name="all-checks", app=15368)
ORGANISATION: dict[str, Any] = {"level": "Organization", "source": "acme"}


def state(*rulesets: Ruleset, **changes: Any) -> RulesState:
    """A repository with one maintainer and these rulesets."""
    return replace(RulesState(repository=SOLE, rulesets=rulesets, tags=TAGS, writers=("acme",)), **changes)


def states(proposal: Proposal) -> dict[str, str]:
    """What becomes of each rule. Tags and the branch both have one about their deletion."""
    return {f"{each.about.split()[0]} {each.type}": each.state.value for each in proposal.rules}


def test_an_unprotected_repository_gets_three_rulesets() -> None:
    """One for the branch, and two for tags, since who creates tags may bypass only the ruleset of their creation."""
    proposal = propose(state(check=CHECKED), DEFAULTS)
    assert set(states(proposal).values()) == {"add"}
    after = {change.after.name: change.after for change in proposal.changes}
    assert list(after) == [BRANCH, CREATION, KEEPING]
    assert [each.type for each in after[BRANCH].rules] == ["deletion", "non_fast_forward", "pull_request", CHECKS]
    assert after[BRANCH].bypass == ()
    assert ([each.type for each in after[CREATION].rules], after[CREATION].bypass) == (["creation"], (ADMINS,))
    assert ([each.type for each in after[KEEPING].rules], after[KEEPING].bypass) == (["update", "deletion"], ())
    assert after[KEEPING].include == ("refs/tags/v[0-9]*", "refs/tags/[0-9]*")
    assert {change.before for change in proposal.changes} == {None}


@pytest.mark.parametrize(
    ("changes", "options", "approvals", "owners"),
    [
        ({"writers": ("acme",)}, DEFAULTS, 0, False),
        ({"writers": ("acme", "other")}, DEFAULTS, 1, True),
        ({"writers": None}, DEFAULTS, 0, False),
        ({"writers": None}, ProtectionOptions(approvals=2), 2, True),
        ({"writers": ("acme", "other")}, ProtectionOptions(approvals=0), 0, False),
    ],
    ids=["sole", "two", "hidden", "asked", "asked for none"],
)
def test_approvals_are_asked_of_those_who_can_give_them(
    changes: dict[str, Any], options: ProtectionOptions, approvals: int, *, owners: bool
) -> None:
    """A sole maintainer would be locked out: the author of a pull request cannot approve it."""
    rule = wanted_rulesets(state(**changes), options)[0].rules[2]
    assert rule.parameters["required_approving_review_count"] == approvals
    assert rule.parameters["require_code_owner_review"] is owners
    assert rule.parameters["dismiss_stale_reviews_on_push"] is True


def test_a_check_is_required_only_once_it_has_reported() -> None:
    """Before, it would block every pull request; then it has to come from the app that reported it."""
    before, after = propose(state(), DEFAULTS), propose(state(check=CHECKED), DEFAULTS)
    assert f"branch {CHECKS}" not in states(before)
    assert "all-checks has not reported on main yet" in before.notes[0]
    required = next(each for each in after.changes[0].after.rules if each.type == CHECKS)
    assert required.parameters == {
        CHECKS: [{"context": "all-checks", "integration_id": 15368}],
        "strict_required_status_checks_policy": True,
    }


@pytest.mark.parametrize(
    ("signed", "asked", "expected"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_signatures_are_required_where_commits_have_them(*, signed: bool, asked: bool, expected: bool) -> None:
    """Or if the user asks for it."""
    found = states(propose(state(signed=signed), ProtectionOptions(signed=asked)))
    assert ("branch required_signatures" in found) is expected


STRICT = (
    ruleset(
        "deletion",
        "non_fast_forward",
        pull_request(dismiss_stale_reviews_on_push=True, required_approving_review_count=3),
    ),
    tag_ruleset("creation", "update", "deletion", "non_fast_forward", id=8),
)


@pytest.mark.parametrize(
    ("rulesets", "expected"),
    [
        (STRICT, set()),
        ((replace(STRICT[0], include=("refs/heads/main",)), STRICT[1]), set()),
        ((replace(STRICT[0], include=("~ALL",)), replace(STRICT[1], include=("refs/tags/*",))), set()),
        ((replace(STRICT[0], **ORGANISATION, bypass=None), STRICT[1]), set()),
        ((replace(STRICT[0], exclude=("refs/heads/main",)), STRICT[1]), {BRANCH}),
        ((replace(STRICT[0], enforcement="evaluate"), STRICT[1]), {BRANCH}),
        ((replace(STRICT[0], bypass=(ADMINS,)), STRICT[1]), set()),
        ((STRICT[0], replace(STRICT[1], bypass=(ADMINS,))), {KEEPING}),
        ((STRICT[0], replace(STRICT[1], **ORGANISATION, bypass=None)), {KEEPING}),
        ((STRICT[0], replace(STRICT[1], include=("refs/tags/v*",))), {CREATION, KEEPING}),
        ((STRICT[0], replace(STRICT[1], exclude=("refs/tags/v0*",))), {CREATION, KEEPING}),
        ((replace(STRICT[0], rules=STRICT[0].rules[1:]), STRICT[1]), {BRANCH}),
    ],
    ids=[
        "all there",
        "by its name",
        "wider",
        "of the organisation",
        "excluded",
        "not active",
        "bypass of the branch",
        "bypass of tags",
        "hidden bypass of tags",
        "fewer tags",
        "excluded tags",
        "one rule less",
    ],
)
def test_what_others_have_is_not_proposed_again(rulesets: tuple[Ruleset, ...], expected: set[str]) -> None:
    """Only what certainly holds counts, whoever set it; no ruleset of somebody else is changed."""
    changes = propose(state(*rulesets), DEFAULTS).changes
    assert {change.after.name for change in changes} == expected
    assert all(change.before is None for change in changes)


def test_a_rule_of_the_organisation_is_shown_as_its_own() -> None:
    """With its name, and who may bypass it as far as the forge says."""
    theirs = replace(STRICT[0], **ORGANISATION, bypass=None, name="baseline")
    rule = propose(state(theirs), DEFAULTS).rules[0]
    assert rule.state == "there"
    assert rule.source == 'ruleset "baseline" of the organisation acme (who may bypass it is not shown)'


def test_without_the_permission_it_is_unknown_whether_nobody_may_move_tags() -> None:
    """The forge hides who may bypass a ruleset of the repository, and does not say that nobody may."""
    proposal = propose(state(STRICT[0], replace(STRICT[1], bypass=None)), DEFAULTS)
    assert states(proposal)["tags update"] == "unknown"
    assert len(proposal.unknown) == 2
    assert proposal.changes == ()


def own(name: str, **changes: Any) -> Ruleset:
    """A ruleset of unmoor as it was created, with changes that somebody made."""
    made = next(change.after for change in propose(state(), DEFAULTS).changes if change.after.name == name)
    return replace(made, id=3, source="acme/demo", **changes)


@pytest.mark.parametrize(
    ("held", "after"),
    [
        (own(BRANCH, rules=()), {"rules": own(BRANCH).rules}),
        (own(BRANCH, enforcement="disabled"), {"enforcement": "active"}),
        (own(BRANCH, bypass=(ADMINS,)), None),
        (own(KEEPING, bypass=(ADMINS,)), {"bypass": ()}),
        (own(CREATION, bypass=()), None),
        (own(CREATION, bypass=(ADMINS, BypassActor(kind="Integration", id=9))), None),
        (own(KEEPING, include=("refs/tags/pkg-v*",)), {"include": ("refs/tags/pkg-v*", *own(KEEPING).include)}),
        (own(KEEPING, exclude=("refs/tags/v0*",)), None),
        (own(KEEPING, rules=(*own(KEEPING).rules, Rule(type="required_signatures"))), None),
    ],
    ids=["rules", "enforcement", "bypass kept", "bypass", "stricter", "an app", "other tags", "excluded", "more rules"],
)
def test_a_ruleset_of_unmoor_gets_what_it_lacks(held: Ruleset, after: dict[str, Any] | None) -> None:
    """What somebody made stricter, and who they let create tags, stays as it is."""
    changes = [each for each in propose(state(held), DEFAULTS).changes if each.before is not None]
    assert [each.after for each in changes] == ([] if after is None else [replace(held, **after)])


def test_a_ruleset_of_that_name_for_something_else_is_refused() -> None:
    """Tags cannot be added to a ruleset of branches."""
    with pytest.raises(Refused, match="for something else"):
        propose(state(own(KEEPING, target="branch")), DEFAULTS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"writers": None}, "the forge does not show who else may push"),
        ({"writers": ("acme",)}, "one person may push"),
        ({"writers": ("acme", "b")}, "/.github/ @acme @b"),
        ({"protected": True}, "a branch protection rule protects main"),
    ],
)
def test_what_to_know_is_said(changes: dict[str, Any], words: str) -> None:
    """About what is left out, and why."""
    assert words in "\n".join(propose(state(**changes), DEFAULTS).notes)


def test_what_commands_can_no_longer_do_is_said() -> None:
    """Under all rules: pushes to the branch, tags by others, and moved tags; without any, nothing."""
    assert list(effects(state(), ())) == []
    signed = state(signed=True)
    words = "\n".join(effects(signed, propose(signed, DEFAULTS).rulesets))
    for part in (
        "cut can no longer push to main: it opens a pull request",
        "with a key that signs",
        "only for those who may bypass the ruleset of its creation (can be bypassed by the role admin)",
        "a pushed tag stays on its commit",
        "undo takes back what is published, but the tag and its version stay used",
    ):
        assert part in words


PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "dismiss_stale_reviews_on_push": st.booleans(),
        "require_code_owner_review": st.booleans(),
        "required_approving_review_count": st.integers(0, 10),
        "required_review_thread_resolution": st.booleans(),
        "allowed_merge_methods": st.just(["squash"]),
    },
)
ANY_RULE = st.one_of(
    st.sampled_from(["creation", "update", "deletion", "non_fast_forward", "merge_queue", "surprise"]).map(
        lambda kind: Rule(type=kind)
    ),
    PARAMETERS.map(lambda values: Rule(type="pull_request", parameters=values)),
    st.builds(
        lambda names, strict: Rule(
            type=CHECKS,
            parameters={
                CHECKS: [{"context": each} for each in sorted(names)],
                "strict_required_status_checks_policy": strict,
            },
        ),
        st.sets(st.sampled_from(["all-checks", "lint"])),
        st.booleans(),
    ),
)
ACTORS = st.sampled_from([ADMINS, BypassActor(kind="Team", id=1), BypassActor(kind="OrganizationAdmin")])
NAMES = {"branch": (BRANCH, "x"), "tag": (CREATION, KEEPING, "x")}
PATTERNS = {
    "branch": ("~ALL", "~DEFAULT_BRANCH", "refs/heads/main", "refs/heads/*"),
    "tag": ("~ALL", "refs/tags/v*", "refs/tags/*", "refs/tags/v[0-9]*", "refs/tags/[0-9]*"),
}


@st.composite
def any_rulesets(draw: st.DrawFn) -> tuple[Ruleset, ...]:
    """Rulesets as people make them, some with the names of those of unmoor."""
    made: list[Ruleset] = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        target = draw(st.sampled_from(["branch", "tag"]))
        name = draw(st.sampled_from(NAMES[target]))
        taken = name == "x" or name in {each.name for each in made}
        rules = draw(st.lists(ANY_RULE, max_size=4, unique_by=lambda rule: rule.type))
        made.append(
            Ruleset(
                id=number,
                name=f"x{number}" if taken else name,
                target=target,
                include=tuple(draw(st.lists(st.sampled_from(PATTERNS[target]), max_size=2, unique=True))),
                exclude=tuple(
                    draw(st.lists(st.just(f"refs/{'heads' if target == 'branch' else 'tags'}/v0"), max_size=1))
                ),
                rules=tuple(rules),
                enforcement=draw(st.sampled_from(["active", "disabled", "evaluate"])),
                bypass=tuple(draw(st.lists(ACTORS, max_size=2, unique=True))),
                level=draw(st.sampled_from(["Repository", "Organization"])) if taken else "Repository",
                source="acme",
            )
        )
    return tuple(made)


@settings(deadline=None)
@given(
    rulesets=any_rulesets(),
    reported=st.booleans(),
    writers=st.sampled_from([("a",), ("a", "b")]),
    stopped=st.integers(0, 3),
)
def test_applying_never_weakens_and_ends(
    *, rulesets: tuple[Ruleset, ...], reported: bool, writers: tuple[str, ...], stopped: int
) -> None:
    """Every ruleset that was there is as strict as before; stopped after any write, the second run does the rest."""
    rules = FakeRules(held=list(rulesets), may_push=writers, checks=("all-checks",) if reported else ())
    first = propose(read_state(rules, TAGS), DEFAULTS)
    apply(replace(first, changes=first.changes[:stopped]), rules, say=lambda _: None)
    apply(propose(read_state(rules, TAGS), DEFAULTS), rules, say=lambda _: None)
    after = {each.id: each for each in rules.held}
    for before in rulesets:
        assert not is_weaker(after[before.id], before)
        assert before.name.startswith("unmoor: ") or after[before.id] == before
    last = propose(read_state(rules, TAGS), DEFAULTS)
    assert last.changes == ()
    assert set(states(last).values()) == {"there"}
