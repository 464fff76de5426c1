"""Draw the rounds of a seed: which faults, and at which of the addresses that a release without faults had.

The same seed, the same addresses and the same version of unmoor give the same rounds, whatever the number of rounds.
Faults are dealt like cards, so each comes before any comes twice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from unmoor.rehearsal.chaos.addresses import Addresses
from unmoor.rehearsal.faults.catalogue import Fault, FaultKind
from unmoor.rehearsal.faults.injection import JOURNAL, START, Injected, Injection, Kill, Signal, When

T = TypeVar("T")

FROM_NOTHING = 10
"""One round in so many begins without the files that were built and proven once."""
_SECOND = 0.5
"""How many rounds have a second fault: one of those that show what a run believes of work that was done."""
_TIMES = (1, 1, 1, 1, 2, 3, 0, 0)
"""How often in a row a fault of a server meets requests, each as likely; 0 is for ever."""
_DEEPEST = 12
"""The highest number of a request that a fault is drawn for, if a route has more."""
_SHARP = frozenset({FaultKind.AFTER, FaultKind.KILL})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ONCE = frozenset({FaultKind.REMOTE, FaultKind.KILL, FaultKind.START})


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """A round: its number, from 1, what happens in it, and whether it begins without built files."""

    number: int
    injections: tuple[Injected, ...]
    from_nothing: bool = False


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A fault with the addresses at which it can be put, and how often each was met."""

    fault: Fault
    places: tuple[tuple[str, str, int], ...]


def cards(faults: Sequence[Fault], addresses: Addresses) -> tuple[Card, ...]:
    """Return the faults that can happen to this release. Those without any address are left out."""
    made = (Card(fault=each, places=_places(each, addresses)) for each in faults)
    return tuple(card for card in made if card.places)


def _places(fault: Fault, addresses: Addresses) -> tuple[tuple[str, str, int], ...]:
    if fault.kind is FaultKind.START:
        return tuple((START, each.partition(" ")[2], 1) for each in fault.targets)
    every = addresses.routes(journal=False) + addresses.routes(journal=True)
    places = tuple((*each, addresses.counts[each]) for each in every if fault.fits(*each))
    if fault.kind is FaultKind.AFTER:
        # A read whose answer is lost is like one that was never done.
        return tuple(each for each in places if each[1].partition(" ")[0] in _WRITES) or places
    return places


def draw(seed: int, number: int, built: Sequence[Card], from_nothing: Sequence[Card]) -> Round:
    """Draw one round of a seed, from the faults of its kind of round. ``built`` must not be empty.

    If ``from_nothing`` is, every round begins with the built files.
    """
    tenth = number // FROM_NOTHING if from_nothing else 0
    is_tenth = tenth > 0 and number % FROM_NOTHING == 0
    deck, place = (from_nothing, tenth - 1) if is_tenth else (built, number - tenth - 1)
    dealt, at = divmod(place, len(deck))
    which = "nothing" if is_tenth else "built"
    shuffled = _shuffled(deck, random.Random(f"{seed}/{which}/{dealt}"))  # noqa: S311 - it must repeat, not be secret
    chance = random.Random(f"{seed}/round/{number}")  # noqa: S311 - it must repeat, not be secret
    first = shuffled[at]
    injections = [_put(first, chance)]
    if chance.random() < _SECOND:
        second = _one_of([card for card in deck if card.fault.kind in _SHARP] or deck, chance)
        # A client ends once, and the remote and the checkout have one state.
        if not {first.fault.kind, second.fault.kind} <= _ONCE:
            injections.append(_put(second, chance))
    return Round(number=number, injections=tuple(dict.fromkeys(injections)), from_nothing=is_tenth)


def _put(card: Card, chance: random.Random) -> Injected:
    """Put a fault at one of its addresses: a route first, then a number, so that long polls do not win."""
    service, route, count = _one_of(card.places, chance)
    nth = 1 + int(chance.random() * min(count, _DEEPEST))
    times = _one_of(_TIMES, chance)
    before = chance.random() < 0.5  # noqa: PLR2004 - as often as after
    name = card.fault.name
    if card.fault.kind is FaultKind.KILL:
        when = When.AT if service == JOURNAL else When.BEFORE if before else When.AFTER
        return Kill(signal=Signal(name), service=service, route=route, nth=nth, when=when)
    return Injection(fault=name, service=service, route=route, nth=nth, times=1 if card.fault.kind in _ONCE else times)


def _one_of(values: Sequence[T], chance: random.Random) -> T:
    """Choose by a single number: how the library's own choice draws has changed between versions of Python."""
    return values[int(chance.random() * len(values))]


def _shuffled(values: Sequence[T], chance: random.Random) -> list[T]:
    return [value for _, _, value in sorted((chance.random(), at, value) for at, value in enumerate(values))]
