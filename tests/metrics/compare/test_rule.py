"""The rule finds slow-downs and raises no false alarms, whatever the noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

import pytest

from unmoor.metrics.compare import rule

THRESHOLD = 0.05
Round = tuple[float, float]


def seeded(seed: object) -> Random:
    """Chance that is the same in each run of the tests."""
    return Random(str(seed))  # noqa: S311 - a coin


def quiet(chance: Random, _number: int) -> Round:
    """A machine with nothing else to do."""
    shared = math.exp(chance.gauss(0, 0.01))
    return shared * math.exp(chance.gauss(0, 0.01)), shared * math.exp(chance.gauss(0, 0.01))


def gauss(chance: Random, _number: int) -> Round:
    """Each process differs, by 15 %."""
    return math.exp(chance.gauss(0, 0.15)), math.exp(chance.gauss(0, 0.15))


def spikes(chance: Random, _number: int) -> Round:
    """One process in five takes up to four times as long."""
    base, head = (1 + chance.gauss(0, 0.02) + (chance.random() < 0.2) * chance.uniform(0.5, 3) for _ in "bh")
    return base, head


def drift(chance: Random, number: int) -> Round:
    """The machine becomes slower all the time, within a round too."""
    now = 1 + 0.005 * number
    first, second = now * (1 + chance.gauss(0, 0.02)), (now + 0.005) * (1 + chance.gauss(0, 0.02))
    return (first, second) if chance.random() < 0.5 else (second, first)


def shared(chance: Random, _number: int) -> Round:
    """A neighbour slows both by half, or makes both faster."""
    now = chance.uniform(0.5, 1.5)
    return now * (1 + chance.gauss(0, 0.03)), now * (1 + chance.gauss(0, 0.03))


def independent(chance: Random, _number: int) -> Round:
    """A neighbour comes and goes within a round."""
    return chance.uniform(0.5, 1.5), chance.uniform(0.5, 1.5)


def speeds(chance: Random, _number: int) -> Round:
    """Two processors, one slower by 30 %; mostly both run on the same one."""
    base = chance.choice((1, 1.3))
    head = base if chance.random() < 0.8 else chance.choice((1, 1.3))
    return base * (1 + chance.gauss(0, 0.02)), head * (1 + chance.gauss(0, 0.02))


def first_slower(chance: Random, _number: int) -> Round:
    """Whoever runs first in a round pays for both."""
    first, second = 1.08 * (1 + chance.gauss(0, 0.03)), 1 + chance.gauss(0, 0.03)
    return (first, second) if chance.random() < 0.5 else (second, first)


NOISES = (quiet, gauss, spikes, drift, shared, independent, speeds, first_slower)


def ratios_of(noise: Callable[[Random, int], Round], slow: float, chance: Random) -> Iterator[float]:
    """Endless rounds of two sides, of which the head needs ``slow`` times as much."""
    number = 0
    while True:
        base, head = noise(chance, number)
        yield math.log(slow * head / base)
        number += 1


def measured(rounds: Iterator[float], chance: Random) -> list[float]:
    """As many rounds as the spread demands, as the comparison measures them."""
    found = list(islice(rounds, rule.LEAST))
    while (wanted := min(rule.rounds_wanted(found, THRESHOLD, chance), rule.MOST)) > len(found):
        found += islice(rounds, min(wanted - len(found), len(found)))
    return found


def is_slower(noise: Callable[[Random, int], Round], slow: float, chance: Random) -> bool:
    """Whether the whole rule, with fresh rounds, calls the head slower."""
    rounds = ratios_of(noise, slow, chance)
    if not rule.is_suspect(measured(rounds, chance), THRESHOLD, chance):
        return False
    return bool(rule.confirmed({"one": measured(rounds, chance)}, THRESHOLD, chance))


@pytest.mark.parametrize("noise", [each for each in NOISES if each is not independent], ids=lambda each: each.__name__)
def test_a_slow_down_is_found_and_none_invented(noise: Callable[[Random, int], Round]) -> None:
    """Of a few pairs of each kind, none that is unchanged is slower, and most of those with 10 % are."""
    chance = seeded(noise.__name__)
    assert not any(is_slower(noise, 1.0, chance) for _ in range(8))
    assert sum(is_slower(noise, 1.1, chance) for _ in range(4)) >= 3


@pytest.mark.journey
@pytest.mark.parametrize("noise", NOISES, ids=lambda each: each.__name__)
def test_hundred_pairs_of_each_noise(noise: Callable[[Random, int], Round]) -> None:
    """Of 100 unchanged pairs at most one is an alarm, and of 100 pairs with 10 % at least 90 are found."""
    chance = seeded(noise.__name__)
    assert sum(is_slower(noise, 1.0, chance) for _ in range(100)) <= 1
    assert sum(is_slower(noise, 1.1, chance) for _ in range(100)) >= 90


def test_a_faster_head_is_found_the_same_way() -> None:
    """The other direction is the same rule with other signs, and a faster head is not slower."""
    chance = seeded(1)
    ratios = list(islice(ratios_of(quiet, 0.8, chance), rule.LEAST))
    assert rule.is_suspect(ratios, THRESHOLD, chance, direction=-1)
    assert not rule.is_suspect(ratios, THRESHOLD, chance)
    assert rule.confirmed({"one": ratios}, THRESHOLD, chance, direction=-1).keys() == {"one"}


def test_what_never_differs_is_no_suspect() -> None:
    """A peak of memory that is the same in each process has p 1, and needs the fewest rounds."""
    same = [0.0] * rule.LEAST
    chance = seeded(1)
    assert rule.p_value(same, chance) == 1
    assert not rule.is_suspect(same, THRESHOLD, chance)
    assert rule.rounds_wanted(same, THRESHOLD, chance) == rule.LEAST
    assert rule.smallest(same, THRESHOLD, chance) == pytest.approx(THRESHOLD)


def test_a_constant_difference_is_confirmed() -> None:
    """A peak of memory that is larger by the same amount each time has the smallest p that the flips allow."""
    chance = seeded(1)
    larger = [math.log(1.1)] * rule.LEAST
    assert rule.is_suspect(larger, THRESHOLD, chance)
    assert rule.confirmed({"one": larger}, THRESHOLD, chance)["one"] < rule.PROVEN


def test_an_effect_below_the_threshold_is_never_slower() -> None:
    """Even if p is as small as it can be: 4 % are not 5 %."""
    assert rule.confirmed({"one": [math.log(1.04)] * 100}, THRESHOLD, seeded(1)) == {}


def test_spikes_do_not_move_the_effect() -> None:
    """A quarter of the rounds at each end counts for nothing."""
    assert rule.effect([0.1] * 20 + [9.0] * 6 + [-9.0] * 4) == pytest.approx(0.1)


def test_hopeless_noise_wants_more_than_the_most() -> None:
    """The number says that no number of rounds would do."""
    chance = seeded(1)
    wild = [chance.gauss(0, 5) for _ in range(rule.LEAST)]
    assert rule.rounds_wanted(wild, THRESHOLD, chance) == rule.MOST + 1
    assert rule.smallest(wild, THRESHOLD, chance) > 1


@pytest.mark.parametrize(
    ("values", "significant"),
    [
        ({}, ()),
        ({"a": 0.01}, ("a",)),
        ({"a": 0.011}, ()),
        ({"a": 0.006, "b": 0.001}, ("b", "a")),
        ({"a": 0.006, "b": 0.006}, ()),
        ({"a": 0.001, "b": 0.02, "c": 0.004}, ("a", "c")),
    ],
    ids=["none", "one", "above", "two", "neither", "some"],
)
def test_holm(values: dict[str, float], significant: tuple[str, ...]) -> None:
    """The smallest p has to be below the level by as many as there are, the next by one less, up to the first above."""
    assert rule.holm(values) == significant


def test_p_is_uniform_without_a_difference() -> None:
    """Of equal sides, one pair in five has p of at most 0.2: the test is exact for a small sample, too."""
    chance = seeded(7)
    values = [rule.p_value(list(islice(ratios_of(spikes, 1.0, chance), 12)), chance, flips=100) for _ in range(300)]
    assert 0.13 < sum(each <= 0.2 for each in values) / len(values) < 0.27
