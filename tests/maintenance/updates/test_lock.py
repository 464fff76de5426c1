"""Locks of uv are read, and compared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.locks import lock_of

from unmoor.errors import ConfigError
from unmoor.maintenance.updates.lock import Lock, Move, difference, read_lock


def moved(moves: Sequence[Move]) -> list[str]:
    """Moves as text."""
    return [f"{each.name} {each.before} {each.after}".strip() for each in moves]


def test_a_lock_has_packages_and_a_rest() -> None:
    """The project itself is none of an index; what depends on uv's own version is left out of the rest."""
    found = read_lock(lock_of("idna 3.6"))
    assert found.versions() == {"idna": ("3.6",)}
    assert found.single()["idna"].year == 2025
    assert found.rest == {"version": 1, "requires-python": ">=3.11"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not TOML"),
        ("version = 2", "the format 2"),
        ("", "the format None"),
        ("version = 1\npackage = 3", "no list"),
        ("version = 1\n[[package]]\nname = 'a'", "without a name or a source"),
        ("version = 1\n[[package]]\nname = 'A_b'\nsource = {registry = 'r'}", "odd package"),
        ("version = 1\n[[package]]\nname = 'a'\nversion = 'x'\nsource = {registry = 'r'}", "the version 'x'"),
        ("version = 1\n[[package]]\nname = 'a'\nversion = 1\nsource = {registry = 'r'}", "odd package"),
    ],
)
def test_another_file_is_not_read(text: str, said: str) -> None:
    """What is not a lock of this format is refused, with the reason."""
    with pytest.raises(ConfigError, match=said):
        read_lock(text.encode())


def test_the_difference_is_by_version() -> None:
    """Versions rise or fall, packages come and go, and those with several versions are apart."""
    before = read_lock(lock_of("a 1.9", "b 2", "c 1", "d 1", "e 1", "e 2", "same 1"))
    after = read_lock(lock_of("a 1.10", "b 1", "d 1", "e 1", "e 3", "f 1", "same 1"))
    found = difference(before, after)
    assert moved(found.raised) == ["a 1.9 1.10"]
    assert moved(found.lowered) == ["b 2 1"]
    assert moved(found.added) == ["f  1"]
    assert moved(found.removed) == ["c 1"]
    assert found.several == ("e",)


VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 4))


@given(VERSIONS, VERSIONS)
def test_the_difference_turns_round(old: dict[str, int], new: dict[str, int]) -> None:
    """What rises in one direction falls in the other, and what comes goes."""

    def read(versions: dict[str, int]) -> Lock:
        return read_lock(lock_of(*(f"{name} {version}" for name, version in versions.items())))

    there, back = difference(read(old), read(new)), difference(read(new), read(old))
    assert [each.name for each in there.raised] == [each.name for each in back.lowered]
    assert [each.name for each in there.added] == [each.name for each in back.removed]
    assert {each.name for each in there.raised} == {name for name in old.keys() & new.keys() if new[name] > old[name]}
