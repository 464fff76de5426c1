"""A seed draws the same rounds each time, from addresses that a release has."""

from __future__ import annotations

import pytest

from unmoor.rehearsal.chaos.addresses import Addresses
from unmoor.rehearsal.chaos.draw import FROM_NOTHING, cards, draw
from unmoor.rehearsal.faults import catalogue
from unmoor.rehearsal.faults.catalogue import FAULTS, FaultKind
from unmoor.rehearsal.faults.injection import JOURNAL, START, Injected, Kill

BUILT = Addresses(
    counts={
        ("pypi", "POST /legacy/"): 2,
        ("pypi", "GET /simple/{name}/"): 40,
        ("forge", "GET /repos/{owner}/{repo}/releases"): 3,
        ("forge", "POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets"): 4,
        (JOURNAL, "dists/found"): 1,
        (JOURNAL, "pypi/made"): 1,
    }
)
FROM_NOTHING_TOO = BUILT.joined(Addresses(counts={(JOURNAL, "dists/made"): 1}))
DECKS = (cards(tuple(FAULTS.values()), BUILT), cards(tuple(FAULTS.values()), FROM_NOTHING_TOO))


def exists(injected: Injected, addresses: Addresses) -> bool:
    """Whether a release has the request or the line of an injection."""
    if injected.service == START:
        return True
    return 1 <= injected.nth <= addresses.counts.get((injected.service, injected.route), 0)


def test_the_same_seed_draws_the_same_rounds() -> None:
    """Rounds do not depend on how many there are; another seed draws others."""
    rounds = [draw(7, number, *DECKS) for number in range(1, 101)]
    assert [draw(7, number, *DECKS) for number in reversed(range(1, 101))] == rounds[::-1]
    assert [each.injections for each in rounds] != [draw(8, number, *DECKS).injections for number in range(1, 101)]


def test_a_seed_is_worth_the_same_tomorrow() -> None:
    """What a seed draws changes only knowingly: a printed seed is of a version of unmoor."""
    deck = cards((FAULTS["lost-reply"], FAULTS["down"], FAULTS["KILL"]), BUILT)
    assert [str(each) for number in (1, 2, 3) for each in draw(7, number, deck, deck).injections] == [
        "down@forge:POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets#3",
        "KILL@forge:GET /repos/{owner}/{repo}/releases#1:after",
        "KILL@forge:GET /repos/{owner}/{repo}/releases#1:after",
        "lost-reply@forge:POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets#2",
        "lost-reply@pypi:POST /legacy/#2",
    ]


def test_every_injection_can_be_met_and_replayed() -> None:
    """Each is at an address that the release has, fits its fault, and reads back equal from what is printed."""
    for number in range(1, 301):
        round_ = draw(1, number, *DECKS)
        assert 1 <= len(round_.injections) <= 2
        for each in round_.injections:
            assert exists(each, FROM_NOTHING_TOO if round_.from_nothing else BUILT)
            assert catalogue.read(str(each)) == each


def test_one_round_in_ten_begins_from_nothing() -> None:
    """The others begin with the files that were built once."""
    begun = [number for number in range(1, 41) if draw(3, number, *DECKS).from_nothing]
    assert begun == list(range(FROM_NOTHING, 41, FROM_NOTHING))


def test_each_fault_comes_before_any_comes_twice() -> None:
    """Few rounds meet many faults: they are dealt like cards."""
    built = [number for number in range(1, 400) if number % FROM_NOTHING][: len(DECKS[0])]
    first = [catalogue.fault_of(draw(5, number, *DECKS).injections[0]).name for number in built]
    assert sorted(first) == sorted(card.fault.name for card in DECKS[0])


def test_what_happens_once_does_not_happen_twice_in_a_round() -> None:
    """A client is killed once, and the remote and the checkout are changed once, never both."""
    once = {FaultKind.KILL, FaultKind.REMOTE, FaultKind.START}
    for number in range(1, 301):
        kinds = [catalogue.fault_of(each).kind for each in draw(2, number, *DECKS).injections]
        assert len([each for each in kinds if each in once]) <= 1


def test_only_the_answers_of_writes_are_lost() -> None:
    """A read whose answer is lost shows nothing that a read without an answer does not, unless there is no write."""
    (card,) = cards((FAULTS["lost-reply"],), BUILT)
    assert {route.partition(" ")[0] for _, route, _ in card.places} == {"POST"}
    (card,) = cards((FAULTS["lost-reply"],), Addresses(counts={("pypi", "GET /simple/{name}/"): 40}))
    assert card.places


@pytest.mark.parametrize("name", ["wrong-digest", "immutable-tag", "invalid-publisher"])
def test_a_fault_without_an_address_is_not_drawn(name: str) -> None:
    """A release that never asks a registry cannot meet what happens there."""
    drawn = {card.fault.name for card in cards((FAULTS[name],), BUILT)}
    assert drawn == ({name} if name == "wrong-digest" else set())


def test_a_kill_is_at_a_line_or_beside_a_request() -> None:
    """At a line of the journal it has no side; at a request it is before or after the server's work."""
    kills = [
        each
        for number in range(1, 400)
        for each in draw(4, number, cards((FAULTS["KILL"],), BUILT), DECKS[1]).injections
        if isinstance(each, Kill)
    ]
    assert {each.when.value for each in kills if each.service == JOURNAL} == {""}
    assert {each.when.value for each in kills if each.service != JOURNAL} == {"before", "after"}


def test_without_a_fault_for_it_no_round_begins_from_nothing() -> None:
    """What changes the built files is dealt to every round instead."""
    rounds = [draw(6, number, DECKS[0], ()) for number in range(1, 41)]
    assert not any(each.from_nothing for each in rounds)
    assert rounds[:9] == [draw(6, number, *DECKS) for number in range(1, 10)]
