"""The statistics of the rule for slow-downs, against counting all permutations and against examples by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from unmoor.metrics.judge.evidence import holm, p_longer


def exact(before: Sequence[float], after: Sequence[float]) -> float:
    """The share of all ways to choose ``after`` of all values whose ranks are at least as high."""
    together = [*before, *after]
    ranks = {value: place for place, value in enumerate(sorted(together), 1)}
    seen = sum(ranks[value] for value in after)
    chosen = [sum(each) for each in combinations(ranks.values(), len(after))]
    return sum(each >= seen for each in chosen) / len(chosen)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5], ids=str)
def test_the_approximation_is_close_to_all_permutations(shift: float) -> None:
    """On nine against seven values without ties and without memory it is off by at most 0.03."""
    chance = random.Random(4)  # noqa: S311 - noise
    for _ in range(5):
        before = [chance.gauss(0, 1) for _ in range(9)]
        before = [
            each for pair in zip(sorted(before)[::2], sorted(before, reverse=True)[::2], strict=True) for each in pair
        ]
        before = list(dict.fromkeys(before))  # neighbours differ, so the series has no memory
        after = [chance.gauss(shift, 1) for _ in range(7)]
        assert p_longer(before, after) == pytest.approx(exact(before, after), abs=0.03)


@pytest.mark.parametrize(
    ("before", "after", "at_most", "at_least"),
    [
        pytest.param([1.0, 2.0] * 15, [3.0] * 20, 1e-6, 0.0, id="all higher"),
        pytest.param([3.0] * 30, [1.0, 2.0] * 10, 1.0, 0.99, id="all lower"),
        pytest.param([5.0] * 30, [5.0] * 20, 1.0, 1.0, id="all equal"),
        pytest.param([], [1.0], 1.0, 1.0, id="nothing before"),
    ],
)
def test_extremes(before: list[float], after: list[float], at_most: float, at_least: float) -> None:
    """Ties count half, and no evidence is no alarm."""
    assert at_least <= p_longer(before, after) <= at_most


def test_a_series_with_memory_is_weaker_evidence() -> None:
    """The same values say less if they come in slow and fast days."""
    values = [float(each % 10) for each in range(60)]
    after = [8.0] * 20
    alternating = [values[place // 2 if place % 2 else -1 - place // 2] for place in range(60)]
    assert p_longer(sorted(values), after) > p_longer(alternating, after)


def test_holm_adjusts_the_smallest_most() -> None:
    """The example of the method: order is kept, and no adjusted value is below a smaller one's."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()
