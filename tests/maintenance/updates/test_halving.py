"""A batch of updates is halved until every culprit is found, in few runs."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.maintenance.updates.halving import Halving, Trial, TrialState

PASSED, FAILED = Trial(state=TrialState.PASSED), Trial(state=TrialState.FAILED, why="2 tests fail")


class FakeSuite:
    """Tests that fail with some items, and with others only the first few times. Counts its runs."""

    def __init__(self, culprits: Sequence[int], flaky: dict[int, int] | None = None) -> None:
        self.culprits = set(culprits)
        self.flaky = dict(flaky or {})
        self.runs: list[tuple[int, ...]] = []

    def run(self, items: Sequence[int]) -> Trial:
        """Fail with a culprit, and with a flaky item as often as it still does."""
        self.runs.append(tuple(items))
        for each in items:
            if self.flaky.get(each, 0):
                self.flaky[each] -= 1
                return FAILED
        return FAILED if self.culprits & set(items) else PASSED


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 14, 33])
def test_one_culprit_takes_few_runs(count: int) -> None:
    """With the run before, it is at most 3 + 2⌈log2 n⌉, wherever the culprit is; the rest is kept."""
    for culprit in range(count):
        tests = FakeSuite([culprit])
        halving = Halving(tests.run)
        halving.add(range(count))
        assert halving.kept == [each for each in range(count) if each != culprit]
        assert halving.blamed == [(culprit, "2 tests fail")]
        assert 1 + len(tests.runs) <= 3 + 2 * ceil(log2(count))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 24), st.sets(st.integers(0, 23)))
def test_exactly_the_culprits_are_blamed(count: int, culprits: set[int]) -> None:
    """However many there are, the others are kept, and the last run that passed is of exactly those."""
    tests = FakeSuite([each for each in culprits if each < count])
    halving = Halving(tests.run)
    halving.add(range(count))
    assert {item for item, _ in halving.blamed} == tests.culprits
    assert set(halving.kept) == set(range(count)) - tests.culprits
    passed = [run for run in tests.runs if not tests.culprits & set(run)]
    assert (passed[-1] if passed else ()) == tuple(halving.kept)
    for culprit in tests.culprits:  # each was the only suspect of two runs, or of the same set twice
        assert sum(culprit in run for run in tests.runs) >= 2


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 16), st.lists(st.booleans(), max_size=12))
def test_tests_that_flake_blame_nobody_on_one_failure(count: int, fails: list[bool]) -> None:
    """Runs that fail at random: what is blamed has failed twice in a row, and everything else is kept."""
    left = list(fails)
    runs: list[tuple[tuple[int, ...], bool]] = []

    def attempt(items: Sequence[int]) -> Trial:
        failed = left.pop() if left else False
        runs.append((tuple(items), failed))
        return FAILED if failed else PASSED

    halving = Halving(attempt)
    halving.add(range(count))
    assert sorted([*halving.kept, *(item for item, _ in halving.blamed)]) == list(range(count))
    for item, _ in halving.blamed:
        failed = [items for items, failure in runs if failure and items[-1] == item]
        assert any(failed.count(items) >= 2 for items in failed)


@pytest.mark.parametrize("flakes", [1, 2, 3])
def test_a_flaky_member_is_told_from_a_culprit(flakes: int) -> None:
    """Of two suspects, the one that always fails is blamed; the other one only if it fails twice when tried."""
    tests = FakeSuite([5], {2: flakes})
    halving = Halving(tests.run)
    halving.add(range(8))
    blamed = [item for item, _ in halving.blamed]
    assert 5 in blamed
    assert set(blamed) <= {2, 5}
    assert set(halving.kept) | set(blamed) == set(range(8))


def test_items_that_fail_only_together_lose_the_later_one() -> None:
    """Two that do not go together: the first stays, and the second is blamed."""
    halving: Halving[int] = Halving(lambda items: FAILED if {1, 3} <= set(items) else PASSED)
    halving.add(range(5))
    assert (halving.kept, [item for item, _ in halving.blamed]) == ([0, 1, 2, 4], [3])


def test_what_does_not_resolve_is_tried_once() -> None:
    """Whether versions fit together does not flake, so nothing is repeated."""
    tried: list[tuple[int, ...]] = []

    def attempt(items: Sequence[int]) -> Trial:
        tried.append(tuple(items))
        return Trial(state=TrialState.UNRESOLVED, why="needs idna<3") if 1 in items else PASSED

    halving = Halving(attempt)
    halving.add([0, 1])
    assert halving.blamed == [(1, "needs idna<3")]
    assert tried == [(0, 1), (0,)]
