"""Which of two rules is stricter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.repository_rules import ADMINS, pull_request, ruleset

from unmoor.errors import Unknown
from unmoor.ports.repository_rules import Rule
from unmoor.protection.strictness import CHECKS, combined, is_as_strict, is_weaker, stricter
from unmoor.util.values import replace


def checks(*names: str, strict: bool = False) -> Rule:
    """A rule that requires checks."""
    listed = [{"context": name} for name in names]
    return Rule(type=CHECKS, parameters={CHECKS: listed, "strict_required_status_checks_policy": strict})


RULES = st.one_of(
    st.builds(
        pull_request,
        dismiss_stale_reviews_on_push=st.booleans(),
        required_approving_review_count=st.integers(0, 10),
        allowed_merge_methods=st.just(["squash"]),
    ),
    st.builds(pull_request, require_code_owner_review=st.booleans()),
)
CHECK_RULES = st.builds(
    lambda names, strict: checks(*names, strict=strict), st.sets(st.sampled_from("abc")), st.booleans()
)


@given(st.one_of(st.tuples(RULES, RULES), st.tuples(CHECK_RULES, CHECK_RULES)))
def test_the_stricter_rule_asks_for_all_of_both(both: tuple[Rule, Rule]) -> None:
    """Neither of two rules asks for anything that the stricter one does not, and merging it again changes nothing."""
    merged = stricter(*both)
    assert is_as_strict(merged, both[0])
    assert is_as_strict(merged, both[1])
    assert stricter(merged, both[1]) == merged
    assert combined(both) == merged


@pytest.mark.parametrize(
    ("rule", "wanted", "expected"),
    [
        (None, pull_request(), False),
        (pull_request(), pull_request(), True),
        (pull_request(), pull_request(require_code_owner_review=False), True),
        (pull_request(), pull_request(require_code_owner_review=True), False),
        (pull_request(required_approving_review_count=2), pull_request(required_approving_review_count=1), True),
        (pull_request(required_approving_review_count=0), pull_request(required_approving_review_count=1), False),
        (pull_request(allowed_merge_methods=["merge"]), pull_request(allowed_merge_methods=["squash"]), False),
        (checks("a", "b"), checks("b"), True),
        (checks("a"), checks("b"), False),
        (checks("a"), checks("a", strict=True), False),
    ],
)
def test_a_rule_is_as_strict(rule: Rule | None, wanted: Rule, *, expected: bool) -> None:
    """What is off is asked for by nobody, and what is missing counts as off."""
    assert is_as_strict(rule, wanted) is expected


@pytest.mark.parametrize("value", ["2", None, [], 1.5], ids=repr)
def test_what_cannot_be_compared_is_unknown(value: Any) -> None:
    """A count that is no number is neither stricter nor weaker."""
    with pytest.raises(Unknown, match="required_approving_review_count"):
        is_as_strict(
            pull_request(required_approving_review_count=value), pull_request(required_approving_review_count=1)
        )


BEFORE = ruleset(
    "deletion", pull_request(required_approving_review_count=2), bypass=(ADMINS,), exclude=("refs/heads/x",)
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"bypass": ()}, False),
        ({"bypass": None}, True),
        ({"bypass": (ADMINS, replace(ADMINS, id=4))}, True),
        ({"exclude": ()}, False),
        ({"exclude": ("refs/heads/x", "refs/heads/y")}, True),
        ({"include": ("~DEFAULT_BRANCH", "refs/heads/z")}, False),
        ({"include": ("refs/heads/z",)}, True),
        ({"enforcement": "evaluate"}, True),
        ({"target": "tag"}, True),
        ({"rules": BEFORE.rules[:1]}, True),
        ({"rules": (Rule(type="deletion"), pull_request(required_approving_review_count=1))}, True),
        ({"rules": (*BEFORE.rules, Rule(type="update"))}, False),
    ],
)
def test_a_ruleset_is_weaker(changes: dict[str, Any], *, expected: bool) -> None:
    """Fewer rules, fewer refs, or more people who may bypass it are weaker; more of it is not."""
    assert is_weaker(replace(BEFORE, **changes), BEFORE) is expected
