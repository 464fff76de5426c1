"""What the token for the forge may do."""

from __future__ import annotations

import pytest
from tests.support.access_checks import WHOLE, Surroundings
from tests.support.repository_rules import SOLE, FakeRules

from unmoor.checks.access.token import CHECK
from unmoor.errors import Denied, Unknown
from unmoor.util.values import replace

WRITER = FakeRules(seen=replace(SOLE, can_administer=False))


@pytest.mark.parametrize(
    ("at", "state", "words"),
    [
        (Surroundings(), "passed", "the token may write, and may administer the repository"),
        (Surroundings(rules=WRITER), "passed", "may write, and may not administer"),
        (Surroundings(seen=replace(WHOLE, can_push=None)), "passed", "does not say whether it may write"),
        (Surroundings(rules=FakeRules(token=False)), "unknown", "there is no token"),
        (Surroundings(seen=Unknown("no answer")), "unknown", "no answer"),
        (Surroundings(seen=Denied("the forge does not accept it")), "failed", "does not accept it"),
        (Surroundings(seen=replace(WHOLE, archived=True)), "failed", "acme/demo is archived"),
        (Surroundings(seen=replace(WHOLE, full_name="acme/other")), "failed", "the repository is acme/other now"),
        (Surroundings(seen=replace(WHOLE, full_name="Acme/Demo")), "passed", ""),
        (Surroundings(seen=replace(WHOLE, can_push=False)), "warned", "may not write"),
    ],
    ids=["admin", "writer", "app", "none", "lost", "refused", "archived", "renamed", "case", "reader"],
)
def test_the_token_is_compared_with_what_it_is_for(at: Surroundings, state: str, words: str) -> None:
    """A token that the forge refuses fails; one that may only read is a warning; without an answer it is unknown."""
    found, said = at.words(CHECK)
    assert found == state
    assert words in said
