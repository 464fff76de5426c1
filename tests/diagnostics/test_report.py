"""The block to paste."""

from __future__ import annotations

from unmoor.diagnostics.facts import Fact, FactGroup, FactState
from unmoor.diagnostics.report import FENCE, block


def test_the_block_is_one_and_stays_one() -> None:
    """It begins and ends with a fence, has a line for each fact, and no value can close it."""
    facts = [
        Fact(group=FactGroup.VERSIONS, name="unmoor", state=FactState.KNOWN, value="1.0"),
        Fact(group=FactGroup.PROGRAMS, name="git", state=FactState.KNOWN, value=f"git {FENCE}2"),
        Fact(group=FactGroup.PROGRAMS, name="gh", state=FactState.ABSENT, value="none"),
    ]
    assert list(block(facts)) == [
        FENCE,
        "versions",
        "  unmoor  1.0",
        "programs",
        "  git     git 2",
        "  gh      none",
        FENCE,
    ]
