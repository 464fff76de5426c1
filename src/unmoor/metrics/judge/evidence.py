"""The statistics of the rule for slow-downs: whether times are longer than before, or only seem so.

Two samples are compared by their ranks (Mann and Whitney, with the normal approximation and a correction for ties), so
one run that hung counts no more than any other. Runs that follow each other are alike, since a slow day makes many slow
runs: the more they are, the fewer of them count as evidence of their own. Where many jobs are compared at once, Holm's
method keeps the chance that any of them is a false alarm as small as for one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise

_MOST_MEMORY = 0.9


def p_longer(before: Sequence[float], after: Sequence[float]) -> float:
    """The chance that ``after`` ranks this high if nothing has changed; 1.0 if one of them is empty."""
    many, few = len(before), len(after)
    if not many or not few:
        return 1.0
    counts = sorted(Counter([*before, *after]).items())
    ends = accumulate(count for _, count in counts)
    ranks = {value: end - (count - 1) / 2 for (value, count), end in zip(counts, ends, strict=True)}
    above = sum(ranks[value] for value in after) - few * (few + 1) / 2
    total = many + few
    ties = sum(count**3 - count for _, count in counts)
    variance = many * few / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    z = (above - many * few / 2 - 0.5) / math.sqrt(variance * _likeness([ranks[value] for value in before]))
    return 0.5 * math.erfc(z / math.sqrt(2))


def _likeness(ranks: Sequence[float]) -> float:
    """How much more the sum of a series varies than that of one without memory; at least 1.

    It is that of an autoregressive series of the first order, with the correlation of neighbours in this one.
    """
    middle = sum(ranks) / len(ranks)
    around = [rank - middle for rank in ranks]
    spread = sum(each * each for each in around)
    if not spread:
        return 1.0
    memory = sum(one * other for one, other in pairwise(around)) / spread
    memory = min(max(memory, 0.0), _MOST_MEMORY)
    return (1 + memory) / (1 - memory)


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """Adjust the chances of several tests, in their order, so that each can be compared with one level."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    adjusted = [1.0] * len(chances)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, chances[index] * (len(chances) - place)))
        adjusted[index] = highest
    return tuple(adjusted)
