"""The list of checks."""

from __future__ import annotations

import re

from unmoor.checks.model import CheckGroup
from unmoor.checks.registry import CHECKS


def test_ids_are_unique_and_no_groups() -> None:
    """An id names one check, and an option takes either."""
    ids = [each.id for each in CHECKS]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {group.value for group in CheckGroup} - {"coverage"}
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in ids)


def test_every_check_is_described() -> None:
    """The reference page has a sentence in each column."""
    assert [each.id for each in CHECKS if not (each.title and each.reads and each.remedy)] == []
    assert [each.id for each in CHECKS if each.title.endswith(".") or each.remedy.endswith(".")] == []
