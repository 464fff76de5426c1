"""The rule that decides whether one side is slower than the other by more than noise.

A round is one process a side, in an order that a coin decides, and one process is one sample. The logarithm of its
ratio, head over base, is positive if the head needs more. The *effect* is the trimmed mean of these logarithms: a
quarter of the rounds is left out at each end, so that spikes count for nothing.

If the sides are equal, the order of a round was the only difference, and a coin decided it: each sign was as likely as
the other. So the share of random signs with an effect at least as large is an exact p-value, whatever the noise.

Pure Python: 0.04 s for a hundred rounds, which numpy would need to be imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import compress
from random import Random
from typing import Final, Literal, TypeVar

Name = TypeVar("Name")
LEAST: Final = 30
"""The fewest rounds that a decision is made on."""
MOST: Final = 1000
"""The most rounds of a pass. A spread that demands more has no answer in a bearable time."""
SUSPECTED: Final = 0.05
"""A benchmark is suspected if p is at most this, and the effect at least half the threshold."""
PROVEN: Final = 0.01
"""A suspicion is confirmed if p of fresh rounds is at most this, by the method of Holm over all suspects."""

_TRIMMED: Final = 0.25
_FLIPS: Final = 500
_FLIPS_OF_SUSPECT: Final = 200
_FLIPS_OF_EACH: Final = 300
_FLIPS_OF_WIDTH: Final = 300
_FLIPS_OF_DEVIATION: Final = 60
_NORMAL: Final = 150
_EXCEEDED: Final = 30
# Of a normal distribution, 1 % is further from the middle in one direction.
_DEVIATIONS: Final = 2.33
# The spread is an estimate, so rounds are a little more than it demands.
_MARGIN: Final = 1.0
# Widths by which a slow-down must be larger to be found nine times in ten: 1.28 standard errors, of 2.33 in a width.
_FOUND: Final = 0.55
_LEAST_SUSPECTED: Final = 0.5

Direction = Literal[1, -1]
"""1 looks for a slower head, -1 for a faster one."""


def log_ratios(base: Sequence[float], head: Sequence[float]) -> list[float]:
    """The logarithms of the rounds' ratios. All values are above 0."""
    return [math.log(after / before) for before, after in zip(base, head, strict=True)]


def effect(ratios: Sequence[float]) -> float:
    """The trimmed mean of the rounds, at least one."""
    return _middle(sorted(ratios))


def relative(logarithm: float) -> float:
    """The change that a logarithm is: 0.1 for 10 % more."""
    return math.expm1(logarithm)


def width(ratios: Sequence[float], chance: Random) -> float:
    """How large an effect must be to stand out of the noise of these rounds: 1 % of flipped signs have a larger one.

    The effect itself is taken out before, so that a large one does not pass for noise. Flips tell more than the
    variance of a few rounds: with many spikes, a quarter at an end is sometimes not enough. Many rounds are normal
    enough for the standard deviation of a few flips.
    """
    middle = effect(ratios)
    flips = _Flips([each - middle for each in ratios])
    drawn = [flips.effect(chance) for _ in range(_FLIPS_OF_WIDTH if len(ratios) < _NORMAL else _FLIPS_OF_DEVIATION)]
    deviations = _DEVIATIONS * math.sqrt(sum(each * each for each in drawn) / len(drawn))
    return deviations if len(ratios) >= _NORMAL else max(deviations, sorted(drawn)[-(len(drawn) // 100)])


def rounds_wanted(ratios: Sequence[float], threshold: float, chance: Random) -> int:
    """How many rounds show an effect of the threshold, by the spread of these rounds.

    From `LEAST` to more than `MOST`, which says that no number of rounds would do.
    """
    needed = len(ratios) * (_MARGIN * width(ratios, chance) / math.log1p(threshold)) ** 2
    return max(LEAST, min(math.ceil(needed), MOST + 1))


def smallest(ratios: Sequence[float], threshold: float, chance: Random) -> float:
    """The smallest slow-down that these rounds would have shown in nine of ten runs, relative."""
    wide = width(ratios, chance)
    return relative(max(math.log1p(threshold), wide) + _FOUND * wide)


def p_value(ratios: Sequence[float], chance: Random, *, direction: Direction = 1, flips: int = _FLIPS) -> float:
    """The probability of such an effect, or a larger one, if the sides are equal.

    Flips signs ``flips`` times, or until enough effects are as large: a large p needs no exact value (Besag and
    Clifford 1991).
    """
    drawn = _Flips(ratios)
    found = direction * effect(ratios) - _TIE
    larger = 0
    for tried in range(1, flips + 1):
        larger += drawn.effect(chance) >= found
        if larger == _EXCEEDED:
            return larger / tried
    return (larger + 1) / (flips + 1)


class _Flips:
    """Rounds whose signs are drawn again and again."""

    def __init__(self, ratios: Sequence[float]) -> None:
        self._sizes = sorted(abs(each) for each in ratios)
        self._count = len(self._sizes)
        self._cut = int(self._count * _TRIMMED)

    def effect(self, chance: Random) -> float:
        """The effect with random signs."""
        signs, cut, sizes = chance.randbytes(self._count), self._cut, self._sizes
        less, more = list(compress(sizes, signs.translate(_LOWER))), list(compress(sizes, signs.translate(_UPPER)))
        if min(len(less), len(more)) < cut:
            return _middle([-each for each in reversed(less)] + more)
        # The same without the list: at each end the largest sizes are left out.
        return (sum(more[: len(more) - cut]) - sum(less[: len(less) - cut])) / (self._count - 2 * cut)


_TIE: Final = 1e-12
_LOWER: Final = bytes(byte < 128 for byte in range(256))  # noqa: PLR2004 - half of them
_UPPER: Final = bytes(byte >= 128 for byte in range(256))  # noqa: PLR2004 - the other half


def _middle(ordered: Sequence[float]) -> float:
    cut = int(len(ordered) * _TRIMMED)
    return sum(ordered[cut : len(ordered) - cut]) / (len(ordered) - 2 * cut)


def is_suspect(ratios: Sequence[float], threshold: float, chance: Random, *, direction: Direction = 1) -> bool:
    """Whether fresh rounds have to decide: p is small, and the effect at least half the threshold."""
    if direction * effect(ratios) < _LEAST_SUSPECTED * math.log1p(threshold):
        return False
    return p_value(ratios, chance, direction=direction, flips=_FLIPS_OF_SUSPECT) <= SUSPECTED


def confirmed(
    suspects: Mapping[Name, Sequence[float]], threshold: float, chance: Random, *, direction: Direction = 1
) -> Mapping[Name, float]:
    """Which suspects their fresh rounds confirm, with the p of each.

    p must be as small as Holm demands, and the effect at least the threshold.
    """
    flips = max(_FLIPS, _FLIPS_OF_EACH * len(suspects))  # so that p can be as small as Holm may demand
    values = {name: p_value(ratios, chance, direction=direction, flips=flips) for name, ratios in suspects.items()}
    return {name: values[name] for name in holm(values) if direction * effect(suspects[name]) >= math.log1p(threshold)}


def holm(values: Mapping[Name, float], level: float = PROVEN) -> tuple[Name, ...]:
    """The names whose p-values are significant together, by the method of Holm (1979), smallest first."""
    ordered = sorted(values, key=lambda name: values[name])
    for rank, name in enumerate(ordered):
        if values[name] > level / (len(ordered) - rank):
            return tuple(ordered[:rank])
    return tuple(ordered)
