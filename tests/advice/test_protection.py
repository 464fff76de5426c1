"""Every advice about the rules of a repository leads to rules that can be compared and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.repository_rules import TAGS, FakeRules, tag_ruleset

from unmoor.protection.apply import apply, require_applied
from unmoor.protection.proposal import Proposal, propose
from unmoor.protection.reading import read_state
from unmoor.protection.wanted import KEEPING, ProtectionOptions
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.process.shell import LocalShell


def _rules(place: Place) -> FakeRules:
    return cast("FakeRules", place.kept["rules"])


def _propose(place: Place) -> Proposal:
    return propose(read_state(_rules(place), TAGS), ProtectionOptions())


def _rename(place: Place, text: str) -> None:
    assert text.startswith("give that ruleset another name")
    _rules(place).held = [replace(each, name="another") for each in _rules(place).held]


def _compare(place: Place, text: str) -> None:
    """What the command shows is written with --apply, as it says."""
    assert "unmoor protect" in text
    apply(_propose(place), _rules(place), say=print)


WALKS: dict[str, Walk] = {
    "rename-ruleset": Walk(
        begin=lambda place: place.kept.update(rules=FakeRules(held=[tag_ruleset(name=KEEPING, target="push")])),
        act=_propose,
        follow=_rename,
    ),
    "compare-rules": Walk(
        begin=keep(rules=FakeRules()),
        act=lambda place: require_applied(_propose(place), _rules(place)),
        follow=_compare,
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """Once the name is free, or the rules are those that were proposed, the same comparison works."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
